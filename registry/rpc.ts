/**
 * Calls between edge and primary: plain data, refusals as values. During a deployment the two may run different builds for
 * minutes, so every call carries `v`, and an object refuses versions it does not know.
 */

import type { Refusal } from "../contract/errors.ts";
import type { SentTrace } from "../observe/trace-context.ts";
import type { ContentHash } from "../schema/content-hash.ts";
import type { Fact } from "../schema/facts.ts";
import type { Result } from "../schema/result.ts";
import type { Command, Need, Outcome, UnstoredContent } from "./commands.ts";
import type { EventPage } from "./event.ts";
import type { Answered, AsOf, LogEntry, LogTip } from "./log-entry.ts";
import type { CheckAnswer, CheckRequest, LookupAnswer, LookupRequest } from "./lookup.ts";
import type { Query, ReadAnswer } from "./questions.ts";
export const PROTOCOL_VERSION = 4;

/** `actor` is the pseudonym written to the log, `requestId` the id returned to the caller. */
export type Caller = {
  tenant: string;
  actor: string;
  requestId: string;
  /**
   * The reason for overriding protections and freezes with this command; the edge has checked the caller's permission.
   */
  override?: string;
};

export type CommitRequest = {
  v: number;
  commandId: string;
  /** Distinguishes a repeated command from another one under the same id; absent if the id is used once. */
  commandDigest?: string;
  caller: Caller;
  command: Command;
  facts: readonly Fact[];
  /** Content hashes whose deflated text is already in R2. */
  storedTexts: readonly ContentHash[];
  /** Asks the primary to compute missing facts, within its work budget. */
  computeMissing: boolean;
  /** The request's trace context; has no influence on decisions. */
  trace?: SentTrace;
};

/** `needs`: the facts that the edge must compute before it repeats the call. */
export type CommitAnswer = Answered<
  | { type: "done"; outcome: Outcome; repeated: boolean }
  | { type: "needs"; needs: readonly Need[]; unstored?: readonly UnstoredContent[] }
>;

/** Limit for HTTP responses other than lists and stored texts: 1 MiB, which every client can read in one piece. */
export const MAX_ANSWER_BYTES = 1024 * 1024;

/** JSON size of all verdicts in one call: an RPC argument stays far below the platform's 32 MiB. */
export const MAX_VERDICT_BYTES = 2 * 1024 * 1024;

export type LogPage = { entries: LogEntry[]; asOf: AsOf };

export const MAX_LOG_PAGE_ENTRIES = 500;

export const MAX_LOG_PAGE_BYTES = 8 * 1024 * 1024;

export const MAX_QUERY_ROWS = 1_000;

/**
 * The call every object that follows a tenant's log accepts. The object reads the log from its own checkpoint, so calls may
 * be lost, repeated or late.
 */
export type Follower = { nudge(args: { v: number; upToSeq: number }): Promise<void> };

/** The primary's RPC methods. */
export type Primary = {
  commit(request: CommitRequest): Promise<CommitAnswer>;
  lookup(request: LookupRequest): Promise<LookupAnswer>;
  check(request: CheckRequest): Promise<CheckAnswer>;
  read(query: Query & { v: number }): Promise<Result<ReadAnswer, Refusal>>;
  readLog(args: { v: number; after: number; limit: number }): Promise<LogPage>;
  readEvents(args: { v: number; after: number; limit: number }): Promise<EventPage>;
  storageBytes(): Promise<{ used: number; limit: number }>;
  readSegment(args: { v: number; after: number; upTo: number }): Promise<SegmentSource & { asOf: AsOf }>;
  erasedIn(args: { v: number; ranges: readonly { first: number; last: number }[] }): Promise<number[]>;
  readState(args: { v: number }): Promise<{ state: StateDigests; leafHash: string; asOf: AsOf }>;
  restoreSegment(args: { v: number; segment: Uint8Array }): Promise<RestoreAnswer>;
  finishRestore(args: FinishRequest): Promise<FinishAnswer>;
  abandonRestore(args: { v: number }): Promise<AbandonAnswer>;
  /** Schedules the deletion of the next unreferenced texts in R2. */
  sweepTexts(args: { v: number }): Promise<TextSweepAnswer>;
};

/** `found` texts will be deleted; `more` means that the end of the bucket was not reached. */
export type TextSweepAnswer = { found: number; more: boolean };

/** A stored text: deflated, or null if it is in R2. */
export type SegmentText = { contentHash: ContentHash; deflated: Uint8Array | null };

/** The primary's part of a segment; large texts come from R2. */
export type SegmentSource = {
  before: LogTip;
  entries: LogEntry[];
  texts: SegmentText[];
  /** Whether more entries follow. */
  more: boolean;
};

/** Row count and hash of a table, lower-case hex. */
export type TableDigest = { rows: number; sha256: string };
/** Digests of the state tables, comparable between builds with the same `version`. */
export type StateDigests = { version: number; tables: Readonly<Record<string, TableDigest>> };

/** `appended`: the number of new entries. */
export type RestoreAnswer = Answered<{ first: number; last: number; appended: number }>;

/** `removed`: log entries that the restore had written. */
export type AbandonAnswer = Answered<{ removed: number }>;

export type FinishRequest = {
  v: number;
  /** The seq at which the log must end. */
  seq: number;
  leafHash: string;
  /** The expected state, if the backup contains it. */
  state: StateDigests | null;
};

/** `compared`: digests of this build's tables were available. `replayed`: the log was short enough to replay. */
export type FinishAnswer = Answered<{ state: StateDigests; compared: boolean; replayed: boolean }>;
