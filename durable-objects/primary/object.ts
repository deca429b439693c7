/**
 * The primary of one tenant: decides every change and writes it, in one synchronous transaction, as log entries and as
 * state. Acknowledged changes are in the log; refused ones leave no trace.
 */

import { DurableObject } from "cloudflare:workers";
import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import { errorFields, logLine } from "../../observe/log-line.ts";
import { receivedTrace, type SentTrace, traceFields } from "../../observe/trace-context.ts";
import { isNotBuilt, logOrigin } from "../../registry/audit.ts";
import type { Need, Outcome } from "../../registry/commands.ts";
import { type EventPage, MAX_EVENT_PAGE } from "../../registry/event.ts";
import {
  type Answered,
  type AsOf,
  EPOCH,
  type LogEntry,
  type LogHeader,
  type LogTip,
  parseHeader,
  toHex,
} from "../../registry/log-entry.ts";
import type { CheckAnswer, CheckRequest, LookupAnswer, LookupRequest } from "../../registry/lookup.ts";
import type { Payloads } from "../../registry/payloads.ts";
import type { Query } from "../../registry/questions.ts";
import {
  type AbandonAnswer,
  type Caller,
  type CommitAnswer,
  type CommitRequest,
  type FinishAnswer,
  type FinishRequest,
  type LogPage,
  MAX_LOG_PAGE_BYTES,
  MAX_LOG_PAGE_ENTRIES,
  PROTOCOL_VERSION,
  type RestoreAnswer,
  type SegmentSource,
  type StateDigests,
  type TextSweepAnswer,
} from "../../registry/rpc.ts";
import { textKey } from "../../registry/text-key.ts";
import { COMPATIBILITY_LEVELS, type CompatibilityLevel } from "../../schema/compatibility.ts";
import type { ContentHash } from "../../schema/content-hash.ts";
import type { Fact } from "../../schema/facts.ts";
import type { FormatName, SchemaFormat } from "../../schema/format.ts";
import { formatNamed } from "../../schema/formats.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import { purgeObject } from "../purge.ts";
import { RememberedNumbers } from "../remembered-numbers.ts";
import { withGroupedPlans } from "./answer/change-set-plans.ts";
import { toEvents } from "./answer/events.ts";
import { answerQuery } from "./answer/queries.ts";
import { erasedIn, readSegment, stateDigests } from "./answer/segments.ts";
import {
  attemptDecision,
  attemptSeveral,
  type ChangingHost,
  EXPIRED_AT_ONCE,
  expiryEntries,
  guarded,
  isSeveral,
} from "./change-sets.ts";
import { Checkpoints } from "./checkpoints/checkpoints.ts";
import { clearTree } from "./checkpoints/tree.ts";
import { CommitTraces } from "./commit-trace.ts";
import { decideCheck } from "./decide/check.ts";
import { COMPUTE_BUDGET_MICROS, WorkBudget } from "./decide/compute.ts";
import { decide, STORING_COMMANDS } from "./decide/decide.ts";
import type { DecidedEntry, DecidedText, Deciding, DecisionStep, Done } from "./decide/decision.ts";
import { decideLookup } from "./decide/lookup.ts";
import { MissingFacts } from "./missing-facts.ts";
import { RememberedCommands } from "./remembered-commands.ts";
import { readStateTables, replay, type StateTables } from "./restore/replay.ts";
import { LogRestore, MAX_REPLAYED_ENTRIES } from "./restore/restore.ts";
import { apply } from "./state/apply.ts";
import { KnownClosures } from "./state/closure.ts";
import { firstExpiryMs, readOpenProposals } from "./state/governance.ts";
import { append, appendAsIs, erasePayloads, eraseText, readEntries, readTip, storeText } from "./state/log.ts";
import { migrate } from "./state/migrations.ts";
import { StateReader, toRecord } from "./state/reader.ts";
import { RecordIds } from "./state/record-ids.ts";
import { TextDeletions } from "./state/text-deletions.ts";
import { TextSweep } from "./state/text-sweep.ts";

/** The platform's storage limit of an object. */
const STORAGE_LIMIT_BYTES = 10 * 1024 ** 3;
/** Above this share registrations are refused; deletes still work. */
const STORAGE_FULL_SHARE = 0.95;
const ALARM_RETRY_MS = 5_000;
/** Delay of the followers' nudge after a commit, so that a burst of commits costs one alarm and one nudge. */
const NUDGE_DELAY_MS = 50;
/** A busy object's alarm fires late, but not by more than this. */
const OVERDUE_MS = 5_000;
/** Rounds of computing missing facts before giving up as busy: every round either decides or learns a new fact. */
const MAX_COMPUTE_ROUNDS = 8;
const BUSY_RETRY_SECONDS = 1;

type PrimaryBindings = {
  TEXTS: Pick<R2Bucket, "get" | "put" | "delete" | "head" | "list">;
  CHANGES: Pick<Queue<{ tenant: string; epoch: number; upToSeq: number; trace?: SentTrace }>, "send">;
  DEFAULT_COMPATIBILITY_LEVEL: string;
  REQUEST_LOG?: string;
  CHECKPOINT_SIGNING_KEYS?: string;
  LOG_ORIGIN?: string;
};

/** Two belong to restores (restore.ts), the last one to the sweep (text-sweep.ts). */
type PrimaryMark = "last_hard_delete" | "restoring" | "restored" | "text_sweep";

const NO_TEXTS: ReadonlySet<ContentHash> = new Set();

export class PrimaryObject extends DurableObject<PrimaryBindings> {
  /** Fields, so no caller can reach them over RPC; tests replace them. */
  now = () => Date.now();
  formatOf: (name: FormatName) => SchemaFormat<unknown> = formatNamed;
  storageLimitBytes = STORAGE_LIMIT_BYTES;
  maxReplayedEntries = MAX_REPLAYED_ENTRIES;

  readonly #marks: RememberedNumbers<PrimaryMark>;
  #tip: LogTip;
  #lastHardDelete: number;
  readonly #textDeletions: TextDeletions;
  /** In memory only: persisting it would cost a write per alarm. After waking up, one nudge too many is sent. */
  #nudgedUpTo = 0;
  /** When the alarm fires next, as far as this object knows since it woke. */
  #alarmAtMs = Number.POSITIVE_INFINITY;
  #traces: CommitTraces;
  readonly #missing: MissingFacts;
  #restore: LogRestore;
  readonly #textSweep: TextSweep;
  readonly #checkpoints: Checkpoints;
  readonly #ids = new RecordIds();
  readonly #closures = new KnownClosures();
  readonly #commands: RememberedCommands;
  readonly #changing: ChangingHost = {
    sql: this.ctx.storage.sql,
    nowMs: () => this.now(),
    asOf: () => this.#asOf(),
    newId: () => this.#ids.next(this.now()),
    transaction: (write) => this.#transaction(write),
    write: (decision, caller) => this.#write(decision, caller),
    state: () => this.#state(),
    remember: (outcome, request) => this.#remember(outcome, request),
  };

  constructor(ctx: DurableObjectState, env: PrimaryBindings) {
    super(ctx, env);
    migrate(ctx.storage);
    this.#marks = new RememberedNumbers(ctx.storage.sql);
    this.#traces = new CommitTraces(env.REQUEST_LOG);
    this.#commands = new RememberedCommands(ctx.storage.sql);
    this.#tip = readTip(ctx.storage.sql);
    this.#lastHardDelete = this.#marks.get("last_hard_delete");
    this.#textDeletions = new TextDeletions(ctx.storage.sql, env.TEXTS, (hash) => textKey(this.#tenant(), hash));
    this.#missing = new MissingFacts(ctx.storage.sql, {
      bucket: env.TEXTS,
      textKeyOf: (hash) => textKey(this.#tenant(), hash),
      textDeletions: this.#textDeletions,
      formatOf: (name) => this.formatOf(name),
    });
    this.#restore = new LogRestore({
      storage: ctx.storage,
      marks: this.#marks,
      putText: (hash, deflated) => this.env.TEXTS.put(textKey(this.#tenant(), hash), deflated),
      tip: () => this.#tip,
      asOf: () => this.#asOf(),
      transaction: (write) => this.#transaction(write),
      append: (entry, text) => this.#appendRestored(entry, text),
      nudgeSoon: () => this.#nudgeSoon(this.now()),
      reset: () => this.#reset(),
      textDeletions: this.#textDeletions,
      maxReplayedEntries: () => this.maxReplayedEntries,
    });
    this.#textSweep = new TextSweep({
      sql: ctx.storage.sql,
      bucket: env.TEXTS,
      marks: this.#marks,
      deletions: this.#textDeletions,
      tenant: () => this.#tenant(),
      isRestoring: () => this.#restore.isUnderWay || this.#restore.isAppending,
    });
    this.#checkpoints = new Checkpoints({
      sql: ctx.storage.sql,
      keys: env.CHECKPOINT_SIGNING_KEYS,
      origin: () => logOrigin(env.LOG_ORIGIN, this.#tenant()),
      size: () => this.#tip.seq,
      isRestoring: () => this.#restore.isUnderWay,
    });
  }

  /** Decides a command and commits it, or returns the missing facts or the refusal. */
  async commit(request: CommitRequest): Promise<CommitAnswer> {
    const answer = withGroupedPlans(this.ctx.storage.sql, await this.#answerTo(request));
    this.#traces.answered(request, answer);
    return answer;
  }

  async #answerTo(request: CommitRequest): Promise<CommitAnswer> {
    const unknown = this.#unknownVersion(request.v);
    if (unknown) return this.#refused(unknown);
    const storedTexts: ReadonlySet<ContentHash> =
      request.storedTexts.length === 0 ? NO_TEXTS : await this.#textDeletions.confirmed(request.storedTexts);
    // Checked after the only await: the same command may have been committed in the meantime.
    const repeated = this.#rememberedAnswer(request);
    if (repeated) return repeated;
    const facts = factMap(request.facts);
    const answer = this.#attempt(request, facts, storedTexts);
    if (!answer.ok || answer.value.type !== "needs" || !request.computeMissing) return answer;
    const { needs } = answer.value;
    // No other request runs in the meantime, so the next attempt needs exactly the computed facts.
    return await this.ctx.blockConcurrencyWhile(() => this.#commitComputing(request, facts, needs, storedTexts));
  }

  /** Finds a content among a subject's versions; writes nothing. */
  async lookup(request: LookupRequest): Promise<LookupAnswer> {
    const decision = await this.#decideReading(request, (deciding) => decideLookup(deciding, request));
    if (!decision.ok) return this.#refused(decision.refusal);
    const { value } = decision;
    const found = value.type === "found" ? { ...value, record: toRecord(value.record) } : value;
    return { ...ok(found), asOf: this.#asOf() };
  }

  /** Checks a candidate's compatibility; writes nothing. */
  async check(request: CheckRequest): Promise<CheckAnswer> {
    const decision = await this.#decideReading(request, (deciding) => decideCheck(deciding, request));
    return { ...decision, asOf: this.#asOf() };
  }

  /** Answers one query from state. */
  read(query: Query & { v: number }): Result<{ asOf: AsOf; value: unknown }, Refusal> {
    const unknown = this.#unknownVersion(query.v);
    if (unknown) return refuse(unknown);
    const value: unknown = answerQuery({ sql: this.ctx.storage.sql, state: this.#state() }, query.name, query.args);
    // The alarm builds the tree, and fires only after commits.
    if (isNotBuilt(value)) this.#nudgeSoon(this.now());
    return ok({ asOf: this.#asOf(), value });
  }

  /** Entries after a seq, in order, limited in count and bytes. */
  readLog({ after, limit }: { v: number; after: number; limit: number }): LogPage {
    const count = Math.min(Math.max(limit, 1), MAX_LOG_PAGE_ENTRIES);
    return { entries: readEntries(this.ctx.storage.sql, after, count, MAX_LOG_PAGE_BYTES), asOf: this.#asOf() };
  }

  /** The same entries as events for followers. */
  readEvents({ after, limit }: { v: number; after: number; limit: number }): EventPage {
    const count = Math.min(Math.max(limit, 1), MAX_EVENT_PAGE);
    const entries = readEntries(this.ctx.storage.sql, after, count, MAX_LOG_PAGE_BYTES);
    const events = toEvents({ sql: this.ctx.storage.sql, state: this.#state() }, entries).map((event) =>
      this.#restore.isRestored(event.seq) ? { ...event, restored: true as const } : event,
    );
    return { events, asOf: this.#asOf() };
  }

  /** Rebuilds the state tables from the log in a scratch copy and returns both, to verify that they agree. */
  replayState(): { current: StateTables; replayed: StateTables } {
    return { current: readStateTables(this.ctx.storage.sql), replayed: replay(this.ctx.storage) };
  }

  /** The contents of the backup segment after a seq. */
  readSegment({ after, upTo }: { v: number; after: number; upTo: number }): SegmentSource & { asOf: AsOf } {
    if (after >= this.#tip.seq) return { before: this.#tip, entries: [], texts: [], more: false, asOf: this.#asOf() };
    return { ...readSegment(this.ctx.storage.sql, after, upTo), asOf: this.#asOf() };
  }

  erasedIn({ ranges }: { v: number; ranges: readonly { first: number; last: number }[] }): number[] {
    return erasedIn(this.ctx.storage.sql, ranges);
  }

  readState(_: { v: number }): { state: StateDigests; leafHash: string; asOf: AsOf } {
    return { state: stateDigests(this.ctx.storage.sql), leafHash: this.#tip.leafHash, asOf: this.#asOf() };
  }

  /** Appends the entries of a segment that the log lacks. Other writes are refused until `finishRestore`. */
  restoreSegment({ v, segment }: { v: number; segment: Uint8Array }): RestoreAnswer | Promise<RestoreAnswer> {
    const unknown = this.#unknownVersion(v);
    return unknown ? this.#refused(unknown) : this.#restore.append(segment);
  }

  /** Ends a restore if it is verified to be complete. */
  finishRestore(request: FinishRequest): FinishAnswer {
    const unknown = this.#unknownVersion(request.v);
    return unknown ? this.#refused(unknown) : this.#restore.finish(request);
  }

  /** Abandons a restore and removes what it has written. */
  abandonRestore({ v }: { v: number }): AbandonAnswer {
    const unknown = this.#unknownVersion(v);
    return unknown ? this.#refused(unknown) : this.#restore.abandon();
  }

  /** Finds texts in R2 that no commit references; the alarm deletes them. */
  async sweepTexts(_: { v: number }): Promise<TextSweepAnswer> {
    const answer = await this.#textSweep.run(this.now());
    if (answer.found > 0) this.#nudgeSoon(this.now());
    return answer;
  }

  /** For the cron, once the tenant has been deleted. */
  purge(_: { v: number }): Promise<void> {
    return purgeObject(this.ctx);
  }

  storageBytes(): { used: number; limit: number } {
    return { used: this.ctx.storage.sql.databaseSize, limit: this.storageLimitBytes };
  }

  /** Nudges the followers, forgets old commands, and deletes unreferenced texts. May run twice. */
  override async alarm(): Promise<void> {
    this.#alarmAtMs = Number.POSITIVE_INFINITY;
    let checkpointAtMs: number | undefined;
    try {
      if (this.#tip.seq > this.#nudgedUpTo) {
        const upToSeq = this.#tip.seq;
        const trace = this.#traces.newest;
        await this.env.CHANGES.send({ tenant: this.#tenant(), epoch: EPOCH, upToSeq, ...(trace && { trace }) });
        this.#nudgedUpTo = upToSeq;
      }
      await this.#textDeletions.run(this.now());
      this.#expireProposals();
      checkpointAtMs = await this.#checkpoints.run(this.now());
    } catch (error) {
      logLine("error", "The primary's alarm failed and runs again.", {
        ...traceFields(receivedTrace(this.#traces.newest)),
        tenant: this.#tenant(),
        ...errorFields(error),
      });
      await this.#setAlarm(this.now() + ALARM_RETRY_MS);
      return;
    }
    const forgetAtMs = this.#commands.forgetOld(this.now());
    const due = [
      this.#tip.seq > this.#nudgedUpTo ? this.now() : undefined,
      forgetAtMs === undefined ? undefined : Math.max(forgetAtMs, this.now() + ALARM_RETRY_MS),
      checkpointAtMs,
      firstExpiryMs(this.ctx.storage.sql),
    ].filter((atMs) => atMs !== undefined);
    if (due.length > 0) await this.#setAlarm(Math.min(...due));
  }

  /** A decision that writes nothing; with `computeMissing` it computes missing facts, within its budget. */
  async #decideReading<Value extends { type: "found" | "checked" }>(
    request: Omit<CheckRequest, "selector">,
    decideOnce: (deciding: Deciding) => DecisionStep<Value>,
  ): Promise<DecisionStep<Value>> {
    const unknown = this.#unknownVersion(request.v);
    if (unknown) return refuse(unknown);
    const facts = factMap(request.facts);
    const budget = new WorkBudget(COMPUTE_BUDGET_MICROS);
    for (let round = 0; ; round += 1) {
      const deciding = this.#deciding({ tenant: request.tenant, actor: "", requestId: "" }, facts, new Set());
      const decision = decideOnce(deciding);
      if (!decision.ok || decision.value.type !== "needs" || !request.computeMissing) return decision;
      const { needs } = decision.value;
      if (round >= MAX_COMPUTE_ROUNDS || !(await this.#missing.compute(needs, request.text, facts, budget))) {
        return refuse(busy());
      }
    }
  }

  async #commitComputing(
    request: CommitRequest,
    facts: Map<string, Fact>,
    firstNeeds: readonly Need[],
    confirmedTexts: ReadonlySet<ContentHash>,
  ): Promise<CommitAnswer> {
    const budget = new WorkBudget(COMPUTE_BUDGET_MICROS);
    const rawText = request.command.type === "register" ? request.command.text : "";
    const storedTexts = new Set(confirmedTexts);
    let needs = firstNeeds;
    for (let round = 0; round < MAX_COMPUTE_ROUNDS; round += 1) {
      if (!(await this.#missing.compute(needs, rawText, facts, budget, storedTexts))) break;
      const answer = this.#attempt(request, facts, storedTexts);
      if (!answer.ok || answer.value.type !== "needs") return answer;
      needs = answer.value.needs;
    }
    return this.#refused(busy());
  }

  /** One synchronous block: decide, append, apply, remember. It must never contain an await. */
  #attempt(
    request: CommitRequest,
    facts: ReadonlyMap<string, Fact>,
    storedTexts: ReadonlySet<ContentHash>,
  ): CommitAnswer {
    const { command, caller } = request;
    if (this.#restore.isUnderWay) return this.#refused(this.#restore.refusal());
    if (STORING_COMMANDS.has(command.type) && this.#isFull()) {
      const detail = "The registry's storage is nearly full: hard-delete versions that are no longer needed.";
      return this.#refused(makeRefusal("STORAGE_FULL", [], detail));
    }
    if (isSeveral(command)) {
      const deciding = () => this.#deciding(caller, facts, storedTexts);
      return attemptSeveral(this.#changing, { request, command, deciding });
    }
    const decided = decide(this.#deciding(caller, facts, storedTexts), command);
    const decision =
      decided.ok && decided.value.type === "done" ? guarded(this.#changing, decided.value, caller) : decided;
    return attemptDecision(this.#changing, request, decision);
  }

  /** Recorded in the log, so that followers learn of it. An expired proposal cannot be approved before that either. */
  #expireProposals(): void {
    if (this.#restore.isUnderWay || (firstExpiryMs(this.ctx.storage.sql) ?? Number.POSITIVE_INFINITY) > this.now())
      return;
    const expired = readOpenProposals(this.ctx.storage.sql).filter(({ expiresAtMs }) => expiresAtMs <= this.now());
    const entries = expiryEntries(expired.slice(0, EXPIRED_AT_ONCE).map(({ id }) => id));
    const caller = { tenant: this.#tenant(), actor: "registry", requestId: "expiry" };
    this.#transaction(() => this.#write({ entries, texts: [] }, caller));
  }

  #transaction<T>(write: () => T): T {
    const tip = this.#tip;
    const lastHardDelete = this.#lastHardDelete;
    try {
      return this.ctx.storage.transactionSync(write);
    } catch (error) {
      // The transaction was rolled back, so in-memory state must be reset too.
      this.#tip = tip;
      this.#lastHardDelete = lastHardDelete;
      throw error;
    }
  }

  #refused(refusal: Refusal): Answered<never> {
    return { ...refuse(refusal), asOf: this.#asOf() };
  }

  #write(decision: Pick<Done, "entries" | "texts">, caller: Caller): void {
    const { sql } = this.ctx.storage;
    const at = this.now();
    const { tenant, actor, requestId } = caller;
    for (const entry of decision.entries) {
      const text = textBroughtBy(entry, decision.texts);
      if (text) this.#textDeletions.cancel(text.contentHash);
      const { header, tip } = append(sql, this.#tip, entry, { epoch: EPOCH, at, tenant, actor, requestId }, text);
      this.#tip = tip;
      this.#apply(header, entry.payload);
    }
  }

  /** Stores the answer for repeats, and schedules the followers' nudge. */
  #remember(outcome: Outcome, { commandId, commandDigest }: CommitRequest): CommitAnswer {
    const at = this.now();
    const asOf = this.#asOf();
    this.#commands.remember(commandId, { type: "done", outcome, asOf, repeated: false, digest: commandDigest }, at);
    this.#nudgeSoon(at);
    return { ...ok({ type: "done", outcome, repeated: false }), asOf };
  }

  #nudgeSoon(at: number): void {
    // A later alarm would delay the followers; an overdue one was rolled back with its transaction.
    if (this.#alarmAtMs <= at + NUDGE_DELAY_MS && this.#alarmAtMs > at - OVERDUE_MS) return;
    this.#alarmAtMs = at + NUDGE_DELAY_MS;
    // Not awaited: storage writes of the same turn commit together with the transaction.
    void this.ctx.storage.setAlarm(this.#alarmAtMs);
  }

  #reset(): void {
    this.#tip = readTip(this.ctx.storage.sql);
    this.#lastHardDelete = 0;
    this.#marks.set("last_hard_delete", 0);
    this.#nudgedUpTo = 0;
    clearTree(this.ctx.storage.sql);
  }

  #appendRestored(entry: LogEntry, text: DecidedText | undefined): void {
    const { sql } = this.ctx.storage;
    this.#tip = appendAsIs(sql, entry);
    const payload: unknown = entry.payload && JSON.parse(new TextDecoder().decode(entry.payload.bytes));
    this.#apply(parseHeader(entry.header), payload);
    if (!text) return;
    this.#textDeletions.cancel(text.contentHash);
    storeText(sql, (payload as Payloads["schema.registered"]).content.key, text);
  }

  /** Applies an entry to the state, and removes the sources that a hard delete covers. */
  #apply(header: LogHeader, payload: unknown): void {
    const { sql } = this.ctx.storage;
    if (header.type !== "schema.erased") {
      apply(sql, header, payload);
      return;
    }
    const { recordKeys } = payload as Payloads["schema.erased"];
    this.#eraseSources(recordKeys, () => apply(sql, header, payload));
    this.#lastHardDelete = header.seq;
    this.#marks.set("last_hard_delete", header.seq);
  }

  /** Removes payloads and salts of all entries about some records, and texts that are then unreferenced. */
  #eraseSources(recordKeys: readonly number[], applyEntry: () => void): void {
    const { sql } = this.ctx.storage;
    type Named = { content_key: number; content_hash: ArrayBuffer };
    const contents: Named[] = [];
    for (const recordKey of recordKeys) {
      const named = sql.exec<Named>(
        "SELECT content_key, content_hash FROM records JOIN contents USING (content_key) WHERE record_key = ?",
        recordKey,
      );
      contents.push(...named);
      erasePayloads(sql, recordKey);
    }
    applyEntry();
    for (const { content_key, content_hash } of contents) {
      if (sql.exec("SELECT 1 FROM contents WHERE content_key = ?", content_key).toArray().length > 0) continue;
      if (eraseText(sql, content_key, content_hash).inR2) this.#textDeletions.add(toHex(new Uint8Array(content_hash)));
    }
  }

  #deciding(
    caller: CommitRequest["caller"],
    facts: ReadonlyMap<string, Fact>,
    storedTexts: ReadonlySet<ContentHash>,
  ): Deciding {
    return {
      state: this.#state(),
      caller,
      nextSeq: this.#tip.seq + 1,
      nowMs: this.now(),
      newId: () => this.#ids.next(this.now()),
      formatOf: this.formatOf,
      facts,
      storedTexts,
    };
  }

  #state(): StateReader {
    return new StateReader(this.ctx.storage.sql, parseLevel(this.env.DEFAULT_COMPATIBILITY_LEVEL), this.#closures);
  }

  #asOf(): AsOf {
    return { epoch: EPOCH, seq: this.#tip.seq, lastHardDelete: this.#lastHardDelete };
  }

  #rememberedAnswer({ commandId, commandDigest }: CommitRequest): CommitAnswer | undefined {
    const remembered = this.#commands.find(commandId, this.now());
    if (!remembered) return undefined;
    const { digest, outcome, asOf } = remembered;
    if (digest === undefined || commandDigest === undefined || digest === commandDigest) {
      return { ...ok({ type: "done", outcome, repeated: true }), asOf };
    }
    const detail = "This Idempotency-Key was used for another request within the last 24 hours: use a new one.";
    return this.#refused(makeRefusal("UNPROCESSABLE", [detail], detail));
  }

  #unknownVersion(v: number): Refusal | undefined {
    if (v === PROTOCOL_VERSION) return undefined;
    const detail = "A deployment is in progress: edge and primary run different versions.";
    return makeRefusal("NOT_READY", [detail], detail, { retryAfterSeconds: BUSY_RETRY_SECONDS });
  }

  #isFull(): boolean {
    return this.ctx.storage.sql.databaseSize > this.storageLimitBytes * STORAGE_FULL_SHARE;
  }

  #tenant(): string {
    const name = this.ctx.id.name;
    if (name === undefined) throw new Error("A primary object must be addressed by name.");
    return name.slice(0, name.lastIndexOf("/"));
  }

  async #setAlarm(atMs: number): Promise<void> {
    this.#alarmAtMs = atMs;
    await this.ctx.storage.setAlarm(atMs);
  }
}

/** A content's text is stored with the entry that registers the content. */
function textBroughtBy(entry: DecidedEntry, texts: readonly DecidedText[]): DecidedText | undefined {
  if (entry.type !== "schema.registered") return undefined;
  return texts.find(({ contentHash }) => contentHash === entry.payload.content.hash);
}

function factMap(facts: readonly Fact[]): Map<string, Fact> {
  return new Map(facts.map((fact) => [fact.key, fact]));
}

function busy(): Refusal {
  const detail = "The change needs more work than one request may use while others write; retry it.";
  return makeRefusal("BUSY", [detail], detail, { retryAfterSeconds: BUSY_RETRY_SECONDS });
}

function parseLevel(text: string): CompatibilityLevel {
  const level = COMPATIBILITY_LEVELS.find((name) => name === text);
  if (!level)
    throw new Error(`DEFAULT_COMPATIBILITY_LEVEL must be one of ${COMPATIBILITY_LEVELS.join(", ")}, got "${text}".`);
  return level;
}
