import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import type { Command, Outcome, RegisterCommand, Registered } from "../../../registry/commands.ts";
import { NO_ATTRIBUTES } from "../../../registry/record.ts";
import { type CommitAnswer, type CommitRequest, PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { COMPATIBILITY_LEVELS } from "../../../schema/compatibility.ts";
import { computeReading, computeVerdict, type Fact } from "../../../schema/facts.ts";
import type { SchemaFormat } from "../../../schema/format.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import { lineFormat } from "./line-format.ts";

export type PrimaryStub = DurableObjectStub<PrimaryObject>;

let tenants = 0;

/** A primary per test, whose schemas are lines of text. */
export async function primaryWith(format: SchemaFormat<unknown> = lineFormat()): Promise<PrimaryStub> {
  tenants += 1;
  const namespace = (env as unknown as { PRIMARIES: DurableObjectNamespace<PrimaryObject> }).PRIMARIES;
  const primary = namespace.getByName(`test-${tenants}-${crypto.randomUUID()}/1`);
  await useFormat(primary, format);
  return primary;
}

export async function useFormat(primary: PrimaryStub, format: SchemaFormat<unknown>): Promise<void> {
  await runInDurableObject(primary, (object: PrimaryObject) => {
    object.formatOf = () => format;
  });
}

export function registerCommand(subject: string, text: string, more: Partial<RegisterCommand> = {}): RegisterCommand {
  return {
    type: "register",
    api: "native",
    name: parseSubjectName(subject),
    format: "avro",
    text,
    references: [],
    metadata: null,
    ruleSet: null,
    normalise: false,
    dialect: "2020-12",
    versionNumber: null,
    semver: null,
    confluentId: null,
    state: "active",
    attributes: NO_ATTRIBUTES,
    compatibilityLevel: null,
    force: false,
    ...more,
  };
}

export function request(command: Command, more: Partial<CommitRequest> = {}): CommitRequest {
  return {
    v: PROTOCOL_VERSION,
    commandId: crypto.randomUUID(),
    caller: { tenant: "test", actor: "tester", requestId: "request-1" },
    command,
    facts: [],
    storedTexts: [],
    computeMissing: false,
    ...more,
  };
}

/** Commits like an edge: computes the needed facts and calls again, as often as necessary or `maxCalls`. */
export async function commit(
  primary: PrimaryStub,
  command: Command,
  {
    format = lineFormat(),
    maxCalls = 10,
    before,
    between,
    ...more
  }: Partial<CommitRequest> & {
    format?: SchemaFormat<unknown>;
    maxCalls?: number;
    /** Runs immediately before each call. */
    before?: () => Promise<void>;
    /** Runs between two calls of one commit, to change the state. */
    between?: (call: number) => Promise<void>;
  } = {},
): Promise<CommitAnswer> {
  const asked = request(command, more);
  const facts: Fact[] = [...asked.facts];
  const texts = new Map<string, string>();
  const storedTexts = [...asked.storedTexts];
  for (let call = 1; ; call += 1) {
    await before?.();
    const answer = (await primary.commit({ ...asked, facts, storedTexts })) as CommitAnswer;
    if (!answer.ok || answer.value.type !== "needs" || call >= maxCalls) return answer;
    await between?.(call);
    for (const need of answer.value.needs) {
      if (need.type === "text") storedTexts.push(need.contentHash);
      else if (need.type === "reading") {
        const source = { text: command.type === "register" ? command.text : "", references: [] };
        const reading = computeReading(format, source, need.request);
        if (reading.ok) texts.set("candidate", reading.value.text);
        facts.push({ type: "reading", key: need.key, reading });
      } else {
        const side = async (which: "reader" | "writer") => {
          if (need.candidate === which)
            return { source: { text: texts.get("candidate") ?? "", references: [] }, dialect: null };
          const text = await storedText(primary, need[which].root);
          return { source: { text, references: [] }, dialect: null };
        };
        const comparison = computeVerdict(format, await side("reader"), await side("writer"), need.request);
        facts.push({ type: "verdict", key: need.key, comparison });
      }
    }
  }
}

/** The outcome of a commit that succeeded. */
export function outcomeOf(answer: CommitAnswer): Outcome | undefined {
  return answer.ok && answer.value.type === "done" ? answer.value.outcome : undefined;
}

export async function register(
  primary: PrimaryStub,
  subject: string,
  text: string,
  more: Partial<RegisterCommand> = {},
): Promise<Registered> {
  const answer = await commit(primary, registerCommand(subject, text, more));
  expect(answer).toMatchObject({ ok: true, value: { type: "done" } });
  return outcomeOf(answer) as Registered;
}

export async function lastSeq(primary: PrimaryStub): Promise<number> {
  return (await primary.readLog({ v: PROTOCOL_VERSION, after: 0, limit: 1 })).asOf.seq;
}

export async function setNow(primary: PrimaryStub, nowMs: number): Promise<void> {
  await runInDurableObject(primary, (object: PrimaryObject) => {
    object.now = () => nowMs;
  });
}

/** The fastest way to a long log: one entry each, for the subjects `subject-0` and on. */
export async function appendEntries(primary: PrimaryStub, count: number): Promise<void> {
  await runInDurableObject(primary, async (object: PrimaryObject) => {
    const { seq } = object.readLog({ v: PROTOCOL_VERSION, after: 0, limit: 1 }).asOf;
    for (let n = seq; n < seq + count; n += 1) {
      const compatibilityLevel = COMPATIBILITY_LEVELS[n % COMPATIBILITY_LEVELS.length]!;
      const scope = parseSubjectName(`subject-${n}`);
      const answer = await object.commit(request({ type: "setConfig", scope, changes: { compatibilityLevel } }));
      expect(answer).toMatchObject({ ok: true, value: { type: "done" }, asOf: { seq: n + 1 } });
    }
  });
}

async function storedText(primary: PrimaryStub, contentHash: string): Promise<string> {
  const { inflateRawSync } = await import("node:zlib");
  return await runInDurableObject(primary, (object: PrimaryObject) => {
    const answer = object.read({ v: PROTOCOL_VERSION, name: "content", args: { contentHash } });
    const content = (answer as { value: { value: { deflated: Uint8Array } | null } }).value.value;
    return content ? inflateRawSync(content.deflated).toString("utf8") : "";
  });
}

/** Verifies that state equals a replay of the log, row by row. */
export async function expectReplayEqualsState(primary: PrimaryStub): Promise<void> {
  const { current, replayed } = await primary.replayState();
  expect(replayed).toEqual(current);
}
