/**
 * The calls between the edge and the primary: plain data, refusals as values. Edge and object may run different builds for
 * minutes, so every call carries `v` and an object refuses a version that it does not know.
 */

import type { Refusal } from "../contract/errors.ts";
import type { SentTrace } from "../observe/trace-context.ts";
import type { ContentHash } from "../schema/content-hash.ts";
import type { Fact } from "../schema/facts.ts";
import type { Command, Need, Outcome } from "./commands.ts";
import type { EventPage } from "./event.ts";
import type { AsOf, LogEntry, LogTip } from "./log-entry.ts";
import type { CheckAnswer, CheckRequest, LookupAnswer, LookupRequest } from "./lookup.ts";
import type { Query, ReadAnswer } from "./questions.ts";
export const PROTOCOL_VERSION = 2;

/** Who acts: `actor` is what enters the log (a pseudonym), `requestId` what the caller was told. */
export type Caller = { tenant: string; actor: string; requestId: string };

export type CommitRequest = {
  v: number;
  commandId: string;
  /** Tells a repeat from another command under the same id; absent where the id is made for one command only. */
  commandDigest?: string;
  caller: Caller;
  command: Command;
  facts: readonly Fact[];
  /** Content hashes whose deflated text lies in R2 already. */
  storedTexts: readonly ContentHash[];
  /** The primary computes what is missing itself, within its work budget. */
  computeMissing: boolean;
  /** Where the request stands in its trace; it decides nothing. */
  trace?: SentTrace;
};

export type CommitAnswer =
  | { type: "done"; outcome: Outcome; asOf: AsOf; repeated: boolean }
  | { type: "needs"; needs: readonly Need[]; asOf: AsOf }
  | { type: "refused"; refusal: Refusal; asOf: AsOf };

/** An answer over HTTP, unless it is a list or a text of what was stored: 1 MiB is read at once by every client. */
export const MAX_ANSWER_BYTES = 1024 * 1024;

/** The verdicts of one call together, as JSON: an argument of RPC stays far below the platform's 32 MiB. */
export const MAX_VERDICT_BYTES = 2 * 1024 * 1024;

export type LogPage = { entries: LogEntry[]; asOf: AsOf };

export const MAX_LOG_PAGE_ENTRIES = 500;

export const MAX_LOG_PAGE_BYTES = 8 * 1024 * 1024;

export const MAX_QUERY_ROWS = 1_000;

/** What every object that follows a tenant's log can be told. It pulls from where it stands, so a call may be lost, doubled or late. */
export type Follower = { nudge(args: { v: number; upToSeq: number }): Promise<void> };

/** The verbs of the primary, as the edge sees them over RPC. */
export type Primary = {
  commit(request: CommitRequest): Promise<CommitAnswer>;
  lookup(request: LookupRequest): Promise<LookupAnswer>;
  check(request: CheckRequest): Promise<CheckAnswer>;
  read(query: Query & { v: number }): Promise<ReadAnswer | { refusal: Refusal }>;
  readLog(args: { v: number; after: number; limit: number }): Promise<LogPage>;
  readEvents(args: { v: number; after: number; limit: number }): Promise<EventPage>;
  storageBytes(): Promise<{ used: number; limit: number }>;
  readSegment(args: { v: number; after: number; upTo: number }): Promise<SegmentSource & { asOf: AsOf }>;
  erasedIn(args: { v: number; ranges: readonly { first: number; last: number }[] }): Promise<number[]>;
  readState(args: { v: number }): Promise<{ state: StateDigests; leafHash: string; asOf: AsOf }>;
  restoreSegment(args: { v: number; segment: Uint8Array }): Promise<RestoreAnswer>;
  finishRestore(args: FinishRequest): Promise<FinishAnswer>;
  abandonRestore(args: { v: number }): Promise<AbandonAnswer>;
};

/** A text as it is stored: deflated, or null where it lies in R2. */
export type SegmentText = { contentHash: ContentHash; deflated: Uint8Array | null };

/** What the primary contributes to a segment; the large texts are in R2. */
export type SegmentSource = {
  before: LogTip;
  entries: LogEntry[];
  texts: SegmentText[];
  /** Whether more entries follow. */
  more: boolean;
};

/** A table's rows and a hash of them all, lower-case hex. */
export type TableDigest = { rows: number; sha256: string };
/** What the state tables amount to. Comparable between builds of one `version` only. */
export type StateDigests = { version: number; tables: Readonly<Record<string, TableDigest>> };

export type RestoreAnswer =
  /** `appended`: entries that were not here yet. */
  | { type: "restored"; first: number; last: number; appended: number; asOf: AsOf }
  | { type: "refused"; refusal: Refusal; asOf: AsOf };

/** `removed`: log entries that the restore had brought. */
export type AbandonAnswer =
  | { type: "abandoned"; removed: number; asOf: AsOf }
  | { type: "refused"; refusal: Refusal; asOf: AsOf };

export type FinishRequest = {
  v: number;
  /** Where the log must end. */
  seq: number;
  leafHash: string;
  /** What the state must amount to, where the backup says it. */
  state: StateDigests | null;
};
export type FinishAnswer =
  /** `compared`: whether there were digests of this build's tables to compare with. `replayed`: whether the log was short enough. */
  | { type: "proven"; state: StateDigests; compared: boolean; replayed: boolean; asOf: AsOf }
  | { type: "refused"; refusal: Refusal; asOf: AsOf };
