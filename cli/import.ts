/**
 * llmsr import: copies another registry that speaks the Confluent API, with its ids, numbers, config and modes, into
 * this one. What is there already is left alone, so a broken copy is resumed by starting it again; at the end every
 * version is compared with its source.
 *
 * Exit codes: 0 copied and verified, 1 something differs or was refused, 2 an argument cannot be used.
 */
import { parseArgs } from "node:util";
import type { Output } from "./llmsr.ts";
import {
  openRegistry,
  RegistryRefusal,
  type RemoteRegistry,
  type RemoteVersion,
  versionPath,
} from "./remote-registry.ts";

export const IMPORT_USAGE = `llmsr import copies a registry that speaks the Confluent API, with its ids.

  llmsr import --from URL [--to URL]

  --from URL             the registry to copy
  --to URL               the registry to copy into (http://localhost:8080)
  --from-header "N: V"   sent with every request to the source, such as an Authorization; may be repeated
  --to-header "N: V"     sent with every request to the target; may be repeated
  --verify-only          compare only, and change nothing

Versions that the target has are skipped, so an import that was interrupted goes on where it stopped.
`;

type Print = Output["print"];

/** Requests to one registry that are under way at once. */
const CONCURRENCY = 8;
const PROGRESS_EVERY = 100;
/** Differences that are spelled out; the rest is counted. */
const MAX_SHOWN_DIFFERENCES = 50;

export async function runImport(args: readonly string[], { print, printError }: Output): Promise<number> {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
    if (values.from === undefined && !values.help) throw new Error("--from names the registry to copy.");
  } catch (error) {
    printError(`llmsr: ${(error as Error).message}\n\n${IMPORT_USAGE}`);
    return 2;
  }
  if (values.help) {
    print(IMPORT_USAGE);
    return 0;
  }
  const source = openRegistry(values.from!, values["from-header"]);
  const target = openRegistry(values.to, values["to-header"]);
  try {
    const copying = new Import(source, target, print);
    if (!values["verify-only"]) await copying.copy();
    return (await copying.verify()) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof RegistryRefusal)) throw error;
    printError(`llmsr: ${error.message}\n`);
    return 1;
  }
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      from: { type: "string" },
      to: { type: "string", default: "http://localhost:8080" },
      "from-header": { type: "string", multiple: true, default: [] },
      "to-header": { type: "string", multiple: true, default: [] },
      "verify-only": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  }).values;
}

class Import {
  readonly #source: RemoteRegistry;
  readonly #target: RemoteRegistry;
  readonly #print: Print;

  constructor(source: RemoteRegistry, target: RemoteRegistry, print: Print) {
    this.#source = source;
    this.#target = target;
    this.#print = print;
  }

  /** Contexts one by one: their ids are their own, and the target imports into one while the others go on. */
  async copy(): Promise<void> {
    for (const context of await this.#source.contexts()) {
      const versions = await this.#versionsOf(this.#source, context);
      const known = new Set((await this.#keysOf(this.#target, context)).map(versionPath));
      const missing = inOrderOfReferences(versions).filter((version) => !known.has(versionPath(version)));
      this.#print(
        `${context}: ${versions.length} versions, ${versions.length - missing.length} of them here already\n`,
      );
      if (missing.length > 0) await this.#copyVersions(context, missing);
      await this.#copyDeletions(versions);
      await this.#copyConfig(context, versions);
    }
  }

  /** Gives back whether the target says of every version what the source says. */
  async verify(): Promise<boolean> {
    let compared = 0;
    const differences: string[] = [];
    for (const context of await this.#source.contexts()) {
      const versions = await this.#versionsOf(this.#source, context);
      await inTurns(versions, async (expected) => {
        const found = await this.#target.version(expected.subject, expected.version);
        const difference = found === undefined ? "is missing" : differenceOf(expected, found);
        if (difference !== undefined) differences.push(`${expected.subject} version ${expected.version} ${difference}`);
        compared += 1;
      });
    }
    for (const difference of differences.slice(0, MAX_SHOWN_DIFFERENCES)) this.#print(`differs: ${difference}\n`);
    this.#print(`${compared} versions compared, ${differences.length} differ\n`);
    return differences.length === 0;
  }

  async #copyVersions(context: string, missing: readonly RemoteVersion[]): Promise<void> {
    const scope = context === "." ? "" : `/${encodeURIComponent(`:${context}:`)}`;
    const before = await this.#target.get(`/mode${scope}`);
    await this.#target.put(`/mode${scope}?force=true`, { mode: "IMPORT" });
    try {
      let copied = 0;
      // One after the other: a version may refer to the one before it.
      for (const version of missing) {
        await this.#target.register(version);
        copied += 1;
        if (copied % PROGRESS_EVERY === 0) this.#print(`${context}: ${copied} of ${missing.length} copied\n`);
      }
      this.#print(`${context}: ${copied} copied\n`);
    } finally {
      if (before === undefined) await this.#target.delete(`/mode${scope}`);
      else await this.#target.put(`/mode${scope}?force=true`, before);
    }
  }

  /** What the source has soft-deleted, once everything that may refer to it is there. */
  async #copyDeletions(versions: readonly RemoteVersion[]): Promise<void> {
    const deleted = versions.filter((version) => version.deleted);
    for (const version of [...inOrderOfReferences(deleted)].reverse()) {
      const found = await this.#target.version(version.subject, version.version);
      if (found && !found.deleted) await this.#target.delete(versionPath(version));
    }
  }

  async #copyConfig(context: string, versions: readonly RemoteVersion[]): Promise<void> {
    const subjects = new Set(versions.map(({ subject }) => subject));
    const scopes = [context === "." ? "" : `:${context}:`, ...subjects];
    await inTurns(scopes, async (scope) => {
      const path = scope === "" ? "" : `/${encodeURIComponent(scope)}`;
      const config = await this.#source.get(`/config${path}`);
      if (config) {
        const { compatibilityLevel, ...rest } = config as { compatibilityLevel?: string };
        await this.#target.put(`/config${path}`, {
          ...rest,
          ...(compatibilityLevel ? { compatibility: compatibilityLevel } : {}),
        });
      }
    });
    // A read-only subject takes no config, so modes come last, and those of the widest scope at the very end.
    for (const scope of scopes.reverse()) {
      const path = scope === "" ? "" : `/${encodeURIComponent(scope)}`;
      const mode = await this.#source.get(`/mode${path}`);
      const isOwn = (mode as { mode?: string } | undefined)?.mode;
      if (isOwn && isOwn !== "IMPORT" && isOwn !== "FORWARD") await this.#target.put(`/mode${path}`, mode!);
    }
  }

  async #versionsOf(registry: RemoteRegistry, context: string): Promise<RemoteVersion[]> {
    const keys = await this.#keysOf(registry, context);
    const found = await inTurns(keys, ({ subject, version }) => registry.version(subject, version));
    return found.filter((version) => version !== undefined);
  }

  async #keysOf(registry: RemoteRegistry, context: string): Promise<{ subject: string; version: number }[]> {
    const subjects = await registry.subjects(context);
    const keys = await inTurns(subjects, async (subject) =>
      (await registry.versions(subject)).map((version) => ({ subject, version })),
    );
    return keys.flat();
  }
}

/** Referenced versions before what refers to them, otherwise by id: the order in which they came to be. */
export function inOrderOfReferences(versions: readonly RemoteVersion[]): RemoteVersion[] {
  const byKey = new Map(versions.map((version) => [versionPath(version), version]));
  const ordered = new Set<RemoteVersion>();
  const sorted = [...versions].sort(
    (a, b) => a.id - b.id || a.subject.localeCompare(b.subject) || a.version - b.version,
  );
  for (const first of sorted) {
    // An explicit stack: chains of references may be long.
    const pending: { version: RemoteVersion; isReady: boolean }[] = [{ version: first, isReady: false }];
    const entered = new Set<RemoteVersion>();
    for (let next = pending.pop(); next; next = pending.pop()) {
      const { version, isReady } = next;
      if (ordered.has(version)) continue;
      if (isReady) {
        ordered.add(version);
        continue;
      }
      if (entered.has(version)) continue;
      entered.add(version);
      pending.push({ version, isReady: true });
      for (const reference of version.references ?? []) {
        const target = byKey.get(versionPath(inContextOf(version.subject, reference)));
        if (target) pending.push({ version: target, isReady: false });
      }
    }
  }
  return [...ordered];
}

/** An unqualified reference lies in the context of the subject that refers. */
function inContextOf(referrer: string, reference: { subject: string; version: number }) {
  const context = /^(:\..*?:)/.exec(referrer)?.[1];
  return context === undefined || reference.subject.startsWith(":.")
    ? reference
    : { ...reference, subject: context + reference.subject };
}

function differenceOf(expected: RemoteVersion, found: RemoteVersion): string | undefined {
  for (const key of ["id", "schemaType", "schema", "references", "metadata", "ruleSet", "deleted"] as const) {
    const [wanted, given] = [JSON.stringify(expected[key]), JSON.stringify(found[key])];
    if (wanted !== given) return `has another ${key}: ${shortened(given)} instead of ${shortened(wanted)}`;
  }
  return undefined;
}

function shortened(text: string | undefined): string {
  return text === undefined ? "none" : text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Results in the order of the items, a few at a time. */
async function inTurns<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += CONCURRENCY) {
    results.push(...(await Promise.all(items.slice(at, at + CONCURRENCY).map(act))));
  }
  return results;
}
