import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { randomBytes } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import fc from "fast-check";
import { expect } from "vitest";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import type { Command } from "../../../registry/commands.ts";
import { NO_ATTRIBUTES, type SchemaRecord } from "../../../registry/record.ts";
import type { RestoreAnswer } from "../../../registry/rpc.ts";
import { type CommitAnswer, PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { MAX_SEGMENT_ENTRIES } from "../../../registry/segment.ts";
import { EMPTY_RULE_BOOK } from "../../../schema/rules/rule-book.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import { Operations, readWholeSegment, type WholeSegment } from "../../../workers/backup/segments.ts";
import type { Bindings } from "../../../workers/edge.ts";
import { outcomeOf, type PrimaryStub, registerCommand, request } from "./commands.ts";

export const BINDINGS = env as unknown as Bindings & { TEXTS: R2Bucket };
export const v = PROTOCOL_VERSION;
export const SEED = 20_261_124;

export const tenantOf = (primary: PrimaryStub) => primary.name!.slice(0, -"/1".length);

/** Segments of at most `entries` entries each. */
export async function segmentsOf(
  primary: PrimaryStub,
  after = 0,
  entries = MAX_SEGMENT_ENTRIES,
): Promise<WholeSegment[]> {
  const segments: WholeSegment[] = [];
  for (let at = after; ; ) {
    const range = { after: at, upTo: at + entries };
    const read = await readWholeSegment({ env: BINDINGS }, tenantOf(primary), range, new Operations());
    if (!("segment" in read)) return segments;
    segments.push(read);
    at = read.last;
  }
}

export async function restoreInto(
  target: PrimaryStub,
  segments: readonly WholeSegment[],
): Promise<RestoreAnswer | undefined> {
  let answer: RestoreAnswer | undefined;
  for (const { encoded } of segments) {
    answer = (await target.restoreSegment({ v, segment: encoded.bytes })) as RestoreAnswer;
    if (!answer.ok) return answer;
  }
  return answer;
}

/** Ends the restore with the source's digests. */
export async function finish(source: PrimaryStub, target: PrimaryStub) {
  const { state, leafHash, asOf } = await source.readState({ v });
  return target.finishRestore({ v, seq: asOf.seq, leafHash, state });
}

/** State, log, payloads and texts: everything except the object's own bookkeeping. */
export async function rowsOf(primary: PrimaryStub) {
  const { current, replayed } = await primary.replayState();
  expect(replayed).toEqual(current);
  const sources = await runInDurableObject(primary, (_object: PrimaryObject, { storage: { sql } }) => ({
    entries: sql.exec("SELECT * FROM entries ORDER BY seq").toArray().map(printable),
    // Deflated by different builds, so the inflated content is compared.
    texts: sql
      .exec<{ content_hash: ArrayBuffer; deflated: ArrayBuffer | null; text_bytes: number }>(
        "SELECT content_hash, deflated, text_bytes FROM stored_texts ORDER BY content_hash",
      )
      .toArray()
      .map((row) => printable({ ...row, deflated: row.deflated && inflateRawSync(row.deflated).toString("utf8") })),
    lastHardDelete: sql.exec("SELECT value FROM marks WHERE name = 'last_hard_delete'").toArray(),
  }));
  return { ...sources, state: current };
}

/** Replaces the binding of this object only, because bindings are shared. */
export async function replaceBindings(
  primary: PrimaryStub,
  replaced: (object: PrimaryObject) => object,
): Promise<void> {
  await runInDurableObject(primary, (object: PrimaryObject) => {
    const held = object as unknown as { env: object };
    held.env = { ...held.env, ...replaced(object) };
  });
}

export function printable(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof ArrayBuffer ? Buffer.from(value).toString("hex") : value,
    ]),
  );
}

/** Stays above 4 KiB when deflated. */
export const LARGE = [0, 1].map((n) => `large ${n}\n${randomBytes(6_000).toString("hex")}`);
export const TEXTS = ["a", "a\nb", "Ünïcode ☃", ...LARGE];
export const SUBJECTS = ["one", "two", ":.other:one", ":.other:three"];

export type Step =
  | { type: "register"; subject: string; text: string; draft: boolean }
  | { type: "record"; pick: number; what: "update" | "deprecate" | "activate" | "delete" | "erase" | "undelete" }
  | { type: "scope"; subject: string; what: "config" | "mode" | "rules" | "association" | "dropContext" };

export const subject = fc.constantFrom(...SUBJECTS);
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("register" as const),
      subject,
      text: fc.constantFrom(...TEXTS),
      draft: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("record" as const),
      pick: fc.nat(),
      what: fc.constantFrom("update", "deprecate", "activate", "delete", "erase", "undelete"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("scope" as const),
      subject,
      what: fc.constantFrom("config", "mode", "rules", "association", "dropContext"),
    }),
  },
);

/** Executes a step; a refusal is also an outcome. */
export async function perform(primary: PrimaryStub, asked: Step, records: SchemaRecord[]): Promise<void> {
  const run = async (command: Command) =>
    (await primary.commit(request(command, { computeMissing: true }))) as CommitAnswer;
  if (asked.type === "register") {
    const state = asked.draft ? ("draft" as const) : ("active" as const);
    const more = { state, compatibilityLevel: "NONE" as const, attributes: { ...NO_ATTRIBUTES, description: "first" } };
    const answer = await run(registerCommand(asked.subject, asked.text, more));
    const outcome = outcomeOf(answer);
    if (outcome?.type === "registered") records.push(outcome.record);
    return;
  }
  if (asked.type === "scope") {
    await run(scopeCommand(asked));
    return;
  }
  const record = records[asked.pick % Math.max(1, records.length)];
  if (record === undefined) return;
  const { id } = record;
  const update = { type: "updateRecord" as const, id, changes: {}, state: null, reason: null, ifMatchSeq: null };
  switch (asked.what) {
    case "update":
      await run({ ...update, changes: { description: `changed ${asked.pick}` } });
      return;
    case "deprecate":
      await run({ ...update, state: "deprecated", reason: "old" });
      return;
    case "activate":
      await run({ type: "activate", id, reason: null, ifMatchSeq: null });
      return;
    case "undelete":
      await run({ type: "undelete", id });
      return;
    case "erase":
      await run({ type: "deleteRecord", id, permanent: false, ifMatchSeq: null });
      await run({ type: "deleteRecord", id, permanent: true, ifMatchSeq: null });
      return;
    case "delete":
      await run({ type: "deleteRecord", id, permanent: false, ifMatchSeq: null });
  }
}

export function scopeCommand({ subject: name, what }: Step & { type: "scope" }): Command {
  const scope = parseSubjectName(name);
  switch (what) {
    case "config":
      return { type: "setConfig", scope, changes: { normalize: true } };
    case "mode":
      return { type: "setMode", scope, mode: "READWRITE", force: false };
    case "rules":
      return { type: "setRules", scope, book: { ...EMPTY_RULE_BOOK, overrides: [] } };
    case "association":
      return {
        type: "setAssociations",
        resource: { name: "orders", namespace: "cluster", id: `resource of ${name}`, type: "topic" },
        associations: [{ name: scope, type: "value", lifecycle: null, frozen: null, hasSchema: false }],
        upsert: true,
        dryRun: false,
      };
    case "dropContext":
      return { type: "deleteContext", context: scope.context };
  }
}
