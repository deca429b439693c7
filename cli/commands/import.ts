/**
 * llmsr import: copies another registry that supports the Confluent API, with its ids, numbers, config and modes, into
 * this one. Existing versions are left unchanged, so an interrupted copy is resumed by starting it again. At the end
 * every version and every setting is compared with its source.
 */
import { parseAddress } from "../address.ts";
import type { CliCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { copySettings, settingDifferences, settingScopes } from "../import-settings.ts";
import { parseOptions } from "../parse-options.ts";
import { inOrderOfReferences } from "../reference-order.ts";
import {
  openRegistry,
  RegistryRefusal,
  type RemoteRegistry,
  type RemoteVersion,
  versionPath,
} from "../remote-registry.ts";
import { resolveSettings, toAddress } from "../settings.ts";
import type { Output, Shell } from "../shell.ts";
import { inTurns } from "../turns.ts";
import { UsageError } from "../usage-error.ts";

const IMPORT_USAGE = `llmsr import copies a registry that speaks the Confluent API, with its ids.

  llmsr import --from URL [--to URL]
  llmsr import FILE                  registers what \`llmsr export\` wrote, in its order; - reads stdin

  --from URL             the registry to copy; may be https://user:password@host
  --to URL               the registry to copy into (LLMSR_URL, then llmsr.toml, then http://localhost:8080)
  --from-header "N: V"   sent with every request to the source, such as an Authorization; may be repeated
  --to-header "N: V"     sent with every request to the target; may be repeated
  --verify-only          compare only, and change nothing

Copied are versions, soft deletes, config (aliases and groups included) and modes of every context. Versions that the target
has are skipped, so an import that was interrupted goes on where it stopped. A file carries versions, attributes and
references; the ids and numbers are new.

Exit codes: 0 copied and verified, 1 something differs or was refused, 2 an invalid argument, 3 a registry cannot be reached,
4 not allowed. After an interrupt, too, the target's modes are as before.
`;

type Print = Output["print"];

const PROGRESS_EVERY = 100;
/** The number of differences that are printed; the others are only counted. */
const MAX_SHOWN_DIFFERENCES = 50;

const IMPORT_OPTIONS = {
  from: { type: "string" },
  to: { type: "string" },
  "from-header": { type: "string", multiple: true, default: [] as string[] },
  "to-header": { type: "string", multiple: true, default: [] as string[] },
  "verify-only": { type: "boolean", default: false },
} as const;

async function importAll(args: readonly string[], shell: Shell): Promise<number> {
  const { values, positionals } = parseOptions(args, IMPORT_OPTIONS);
  const [file, ...rest] = positionals;
  if ((values.from === undefined) === (file === undefined) || rest.length > 0) {
    throw new UsageError(`import takes --from URL, or one file.\n\n${IMPORT_USAGE}`);
  }
  if (file !== undefined) {
    const { importFile } = await import("../import-file.ts");
    return importFile(file, { url: values.to, header: values["to-header"] }, shell);
  }
  const source = openRegistry(parseAddress(values.from!, values["from-header"]), shell);
  const address = toAddress(resolveSettings(shell, { url: values.to, header: values["to-header"] }));
  const target = openRegistry(address, shell);
  // An interrupt must not leave the target in IMPORT mode.
  const restoring = openRegistry(address, { fetch: shell.fetch, signal: new AbortController().signal });
  try {
    await source.requireRegistry();
    await target.requireRegistry();
    const copying = new Import({ source, target, restoring }, shell.print);
    if (!values["verify-only"]) await copying.copy();
    return (await copying.verify()) ? EXIT.ok : EXIT.no;
  } catch (error) {
    if (!(error instanceof RegistryRefusal)) throw error;
    shell.printError(`llmsr: ${error.message}\n`);
    return error.exitCode;
  }
}

export const IMPORT_COMMAND: CliCommand = { usage: IMPORT_USAGE, options: IMPORT_OPTIONS, run: importAll };

class Import {
  readonly #source: RemoteRegistry;
  readonly #target: RemoteRegistry;
  readonly #restoring: RemoteRegistry;
  readonly #print: Print;
  /** The source's versions, read once. */
  #versions: Map<string, RemoteVersion[]> | undefined;

  constructor({ source, target, restoring }: Record<"source" | "target" | "restoring", RemoteRegistry>, print: Print) {
    this.#source = source;
    this.#target = target;
    this.#restoring = restoring;
    this.#print = print;
  }

  async copy(): Promise<void> {
    const versions = await this.#versionsByContext();
    const missing: RemoteVersion[] = [];
    const importing: string[] = [];
    for (const [context, all] of versions) {
      const known = new Set((await readKeys(this.#target, context)).map(versionPath));
      const lacking = all.filter((version) => !known.has(versionPath(version)));
      this.#print(`${context}: ${all.length} versions, ${all.length - lacking.length} of them already present\n`);
      if (lacking.length > 0) importing.push(context);
      missing.push(...lacking);
    }
    if (missing.length > 0) await this.#copyVersions(importing, missing, [...versions.values()].flat());
    await this.#copyDeletions([...versions.values()].flat());
    const copied = await copySettings(this.#source, this.#target, await this.#scopes());
    if (copied > 0) this.#print(`${copied} settings copied\n`);
  }

  /** Returns whether the target agrees with the source on every version and setting. */
  async verify(): Promise<boolean> {
    const versions = [...(await this.#versionsByContext()).values()].flat();
    const differences: string[] = [];
    const compare = async (expected: RemoteVersion) => {
      const found = await this.#target.version(expected.subject, expected.version);
      const difference = found === undefined ? "is missing" : findDifference(expected, found);
      if (difference !== undefined) differences.push(`${expected.subject} version ${expected.version} ${difference}`);
    };
    await inTurns(versions, compare, this.#progress("compared", versions.length));
    const scopes = await this.#scopes();
    differences.push(...(await settingDifferences(this.#source, this.#target, scopes)));
    for (const difference of differences.slice(0, MAX_SHOWN_DIFFERENCES)) this.#print(`differs: ${difference}\n`);
    this.#print(`${versions.length} versions and ${scopes.length} scopes compared, ${differences.length} differ\n`);
    if (differences.length > 0) {
      this.#print(
        "These differences existed before the import or have appeared since. An import does not change existing versions: to take the source's version, hard-delete it from the target and import again.\n",
      );
    }
    return differences.length === 0;
  }

  /** Opens all contexts before the first version, because versions may reference versions of other contexts. */
  async #copyVersions(
    contexts: readonly string[],
    missing: readonly RemoteVersion[],
    all: readonly RemoteVersion[],
  ): Promise<void> {
    const isMissing = new Set(missing);
    const before = new Map<string, object | undefined>();
    try {
      for (const context of contexts) {
        const scope = modePath(context);
        before.set(scope, await this.#target.get(scope));
        await this.#target.put(`${scope}?force=true`, { mode: "IMPORT" });
      }
      let copied = 0;
      const report = this.#progress("copied", missing.length);
      // One at a time, because a version may reference the one before it.
      for (const version of inOrderOfReferences(all)) {
        if (!isMissing.has(version)) continue;
        await this.#register(version);
        copied += 1;
        report(copied);
      }
      this.#print(`${copied} versions copied\n`);
    } finally {
      for (const [scope, mode] of before) {
        if (mode === undefined) await this.#restoring.delete(scope);
        else await this.#restoring.put(`${scope}?force=true`, mode);
      }
    }
  }

  async #register(version: RemoteVersion): Promise<void> {
    try {
      await this.#target.register(version);
    } catch (error) {
      if (!(error instanceof RegistryRefusal) || (error.status !== 409 && error.status !== 422)) throw error;
      const { subject, version: number, id } = version;
      throw new RegistryRefusal(
        `${subject} version ${number} with id ${id} cannot be copied. ${error.message}\nIf the target holds different content under that id or number, import into an empty registry, or hard-delete the conflicting version. Then start the import again: it continues from here.`,
        error.status,
      );
    }
  }

  /** Repeats the source's soft deletes, after all versions that may reference the deleted ones exist. */
  async #copyDeletions(versions: readonly RemoteVersion[]): Promise<void> {
    const deleted = versions.filter((version) => version.deleted);
    for (const version of [...inOrderOfReferences(deleted)].reverse()) {
      const found = await this.#target.version(version.subject, version.version);
      if (found && !found.deleted) await this.#target.delete(versionPath(version));
    }
  }

  async #versionsByContext(): Promise<Map<string, RemoteVersion[]>> {
    if (this.#versions !== undefined) return this.#versions;
    const read = new Map<string, RemoteVersion[]>();
    for (const context of await this.#source.contexts()) {
      const keys = await readKeys(this.#source, context);
      const report = this.#progress(`of ${context} read`, keys.length);
      const found = await inTurns(keys, ({ subject, version }) => this.#source.version(subject, version), report);
      read.set(
        context,
        found.filter((version) => version !== undefined),
      );
    }
    this.#versions = read;
    return read;
  }

  async #scopes(): Promise<string[]> {
    return settingScopes(this.#source, [...(await this.#versionsByContext()).keys()]);
  }

  /** Prints a line per hundred versions, as a sign of progress. */
  #progress(done: string, total: number): (count: number) => void {
    let reported = 0;
    return (count) => {
      if (count - reported < PROGRESS_EVERY) return;
      reported = count;
      this.#print(`${count} of ${total} versions ${done}\n`);
    };
  }
}

function modePath(context: string): string {
  return context === "." ? "/mode" : `/mode/${encodeURIComponent(`:${context}:`)}`;
}

async function readKeys(registry: RemoteRegistry, context: string): Promise<{ subject: string; version: number }[]> {
  const subjects = await registry.subjects(context);
  const keys = await inTurns(subjects, async (subject) =>
    (await registry.versions(subject)).map((version) => ({ subject, version })),
  );
  return keys.flat();
}

function findDifference(expected: RemoteVersion, found: RemoteVersion): string | undefined {
  for (const key of ["id", "schemaType", "schema", "references", "metadata", "ruleSet", "deleted"] as const) {
    const [wanted, given] = [JSON.stringify(expected[key]), JSON.stringify(found[key])];
    if (wanted !== given) return `has a different ${key}: ${shortened(given)} instead of ${shortened(wanted)}`;
  }
  return undefined;
}

function shortened(text: string | undefined): string {
  return text === undefined ? "none" : text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
