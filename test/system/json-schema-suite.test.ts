/**
 * The required tests of the official JSON Schema suite through a served registry: each schema is registered, and each
 * value is validated often enough that both engines decide it.
 */
import { afterEach, describe, expect, it } from "vitest";
import type { JsonDialect } from "../../schema/format.ts";
import { JSON_DIALECTS } from "../../schema/json/parse/dialects.ts";
import { HOT_VALIDATIONS_PER_HOUR } from "../../workers/validation/heat.ts";
import { HAS_SUITE, type SuiteGroup, suiteGroups, suiteRemotes } from "../schema/json/validate/suite.ts";
import { sendUntilAnswered } from "../support/native-client.ts";
import { freePort, type RegistryProcess, spawnRegistry, temporaryState } from "../support/registry-process.ts";

/** Registers 350 schemas and compiles most of them. */
const TIMEOUT_MS = 600_000;

/** A remote document is refused until those that it references are there. */
const REMOTE_ROUNDS = 3;

const running: { registry: RegistryProcess; remove(): void }[] = [];

afterEach(async () => {
  for (const { registry, remove } of running.splice(0)) {
    await registry.kill();
    remove();
  }
});

async function startRegistry(): Promise<string> {
  const { stateDir, remove } = temporaryState();
  const registry = spawnRegistry({ port: await freePort(), stateDir, args: ["--no-database"] });
  running.push({ registry, remove });
  await registry.ready();
  return registry.url;
}

type Reference = { name: string; subject: string; version: number };

/** The id, or undefined with the reason if the registry refuses the schema. */
async function register(
  url: string,
  subject: string,
  { content, dialect }: { content: unknown; dialect: JsonDialect },
  references: readonly Reference[],
): Promise<{ id?: string; reason: string }> {
  const schema = { subject, format: "json-schema", dialect, content, references };
  const { status, body } = await sendUntilAnswered(url, "POST", "/schemas", schema, subject);
  const { id, detail } = body as { id?: string; detail?: string };
  return status < 300 && id !== undefined ? { id, reason: "" } : { reason: `${status} ${detail}` };
}

/** Registers the suite's remote documents that the registry accepts; they may reference those before them. */
async function registerRemotes(url: string, dialect: JsonDialect): Promise<Reference[]> {
  const registered: Reference[] = [];
  const waiting = suiteRemotes().filter(({ name }) => !/\/draft/.test(name) || name.includes(folderOf(dialect)));
  for (let round = 0; round < REMOTE_ROUNDS; round += 1) {
    for (const { name, source } of waiting) {
      if (registered.some((reference) => reference.name === name)) continue;
      const subject = `remote-${round}-${name}`;
      const folder = name.slice(0, name.lastIndexOf("/") + 1);
      // A document of its own has no address, so what is beside it is referenced by its file's name.
      const beside = registered
        .filter((reference) => reference.name.startsWith(folder))
        .map((reference) => ({ ...reference, name: reference.name.slice(folder.length) }));
      const { id } = await register(url, subject, { content: JSON.parse(source.text) as unknown, dialect }, [
        ...namedIn(source.text, registered),
        ...namedIn(source.text, beside),
      ]);
      if (id !== undefined) registered.push({ name, subject, version: 1 });
    }
  }
  return registered;
}

/** Those whose file a text might reference: each reference costs the registration a closure. */
function namedIn(text: string, references: readonly Reference[]): Reference[] {
  return references.filter(({ name }) => text.includes(name.slice(name.lastIndexOf("/") + 1)));
}

function folderOf(dialect: JsonDialect): string {
  return `/draft${dialect.replace("draft-0", "")}/`;
}

/** Every value once for each engine: the schema becomes hot in between. */
async function validateTwice(url: string, id: string, { tests }: SuiteGroup) {
  const lines = tests.map(({ data }) => JSON.stringify(data));
  const rounds = Math.ceil(HOT_VALIDATIONS_PER_HOUR / lines.length) + 1;
  const answer = await fetch(`${url}/api/v1/schemas/${id}/validate?formats=annotate`, {
    method: "POST",
    headers: { "Content-Type": "application/x-ndjson" },
    body: Array.from({ length: rounds }, () => lines.join("\n")).join("\n"),
  });
  const results = (await answer.text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { valid?: boolean; summary?: { compiled: number } });
  const { summary } = results.pop()!;
  const [first, last] = [results.slice(0, lines.length), results.slice(-lines.length)];
  return { first, last, compiled: summary?.compiled ?? 0 };
}

describe.skipIf(!HAS_SUITE)("POST /schemas/{id}/validate on the official test suite", () => {
  it.each(JSON_DIALECTS)(
    "passes every required test of %s with both engines",
    { timeout: TIMEOUT_MS },
    async (dialect) => {
      const url = await startRegistry();
      const remotes = await registerRemotes(url, dialect);
      const wrong: string[] = [];
      const refused: string[] = [];
      const counts = { tests: 0, compiled: 0 };
      for (const [index, group] of suiteGroups(dialect).entries()) {
        if (group.kind !== "required") continue;
        const text = JSON.stringify(group.schema);
        const references = text.includes("localhost:1234") ? namedIn(text, remotes) : [];
        const { id, reason } = await register(url, `suite-${index}`, { content: group.schema, dialect }, references);
        if (id === undefined) {
          refused.push(`${group.file}: ${group.description}: ${reason}`);
          continue;
        }
        const { first, last, compiled } = await validateTwice(url, id, group);
        counts.compiled += compiled;
        for (const [at, { description, valid }] of group.tests.entries()) {
          counts.tests += 1;
          if (first[at]?.valid === valid && last[at]?.valid === valid) continue;
          wrong.push(`${group.file}: ${group.description}: ${description}`);
        }
      }

      expect(wrong).toEqual([]);
      expect(refused).toEqual([]);
      expect(counts.compiled).toBeGreaterThan(0);
    },
  );
});
