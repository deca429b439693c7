/** A decision's inputs and results. Decisions read state, never write it, and never await. */
import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { Need, Outcome } from "../../../registry/commands.ts";
import type { Mode } from "../../../registry/config.ts";
import { NATIVE_HASHES } from "../../../registry/native-hashes.ts";
import type { Payloads } from "../../../registry/payloads.ts";
import type { Caller } from "../../../registry/rpc.ts";
import type { Comparison } from "../../../schema/compatibility.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";
import type { Fact, Reading, ReadingRequest, VerdictRequest } from "../../../schema/facts.ts";
import { readingKey, verdictKey } from "../../../schema/facts.ts";
import type { FormatName, SchemaFormat } from "../../../schema/format.ts";
import { type Result, refuse } from "../../../schema/result.ts";
import { DEFAULT_CONTEXT, printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import type { StateReader } from "../state/reader.ts";

/** One entry to append; its type determines the payload. */
export type DecidedEntry = {
  [T in keyof Payloads]: { type: T; subject: string | null; payload: Payloads[T] };
}[keyof Payloads];

/** A text that must be stored for the entry that references it. `text` null: it is already in R2. */
export type DecidedText = { contentHash: ContentHash; deflated: Uint8Array | null; textBytes: number };

export type Done = {
  type: "done";
  entries: readonly DecidedEntry[];
  texts: readonly DecidedText[];
  /** Evaluated after the entries have been applied. */
  outcome: (state: StateReader) => Outcome;
};

/** Facts without which a decision cannot continue. */
export type Needs = { type: "needs"; needs: readonly Need[] };

/** The result of a step of a decision. */
export type DecisionStep<Value> = Result<Value | Needs, Refusal>;

export type Decision = DecisionStep<Done>;

export type Refused = { ok: false; refusal: Refusal };

/** The inputs of a decision: state, the available facts, and the values unique to a commit. */
export type Deciding = {
  state: StateReader;
  caller: Caller;
  /** The seq of this commit's first entry. */
  nextSeq: number;
  nowMs: number;
  newId: () => string;
  formatOf: (name: FormatName) => SchemaFormat<unknown>;
  facts: ReadonlyMap<string, Fact>;
  storedTexts: ReadonlySet<ContentHash>;
  /** Called with the key of an available reading, if several texts are being decided. */
  noteReading?: (key: string) => void;
};

export function refused(...args: Parameters<typeof makeRefusal>): Refused {
  return refuse(makeRefusal(...args));
}

export function readingFor(deciding: Deciding, request: ReadingRequest): { key: string; reading: Reading | undefined } {
  const key = readingKey(request, deciding.formatOf(request.format).codeVersion, NATIVE_HASHES);
  const fact = deciding.facts.get(key);
  if (fact?.type !== "reading") return { key, reading: undefined };
  deciding.noteReading?.(key);
  return { key, reading: fact.reading };
}

export function verdictFor(
  deciding: Deciding,
  format: FormatName,
  request: VerdictRequest,
): { key: string; comparison: Comparison | undefined } {
  const key = verdictKey(request, deciding.formatOf(format).codeVersion, NATIVE_HASHES);
  const fact = deciding.facts.get(key);
  return { key, comparison: fact?.type === "verdict" ? fact.comparison : undefined };
}

export function isReadOnly(mode: Mode): boolean {
  return mode === "READONLY" || mode === "READONLY_OVERRIDE";
}

export function isImporting(mode: Mode): boolean {
  return mode === "IMPORT" || mode === "FORWARD";
}

/**
 * The messages of error 42205 print the context qualified, and the default context as an empty string
 * (docs/confluent-compatibility.md).
 */
export function printContext(context: string): string {
  return context === DEFAULT_CONTEXT ? "" : `:${context}:`;
}

export function refuseMode(name: SubjectName, what: string): Refused {
  const message = `Subject ${printSubjectName(name)} in context ${printContext(name.context)} is ${what}`;
  return refused("OPERATION_NOT_PERMITTED", [message], message);
}

export function refuseReadOnly(name: SubjectName): Refused {
  return refuseMode(name, "in read-only mode");
}
