/**
 * The primary's part of a trace: a span per commit, a log line if writes are logged, and the newest trace for the
 * nudge.
 */
import { randomBytes } from "node:crypto";
import { logLine } from "../../observe/log-line.ts";
import { nextSpan, receivedTrace, type SentTrace, sentTrace, traceFields } from "../../observe/trace-context.ts";
import type { CommitAnswer, CommitRequest } from "../../registry/rpc.ts";

/** A nudge covers all commits since the previous one but carries only one trace, so it carries the newest. */
export class CommitTraces {
  readonly #isLogged: boolean;
  #newest: SentTrace | undefined;

  constructor(requestLog: string | undefined) {
    this.#isLogged = requestLog === "writes" || requestLog === "all";
  }

  /** Called with every answer to a commit. */
  answered({ trace, caller, command }: CommitRequest, answer: CommitAnswer): void {
    const received = receivedTrace(trace);
    const own = received && nextSpan(received, randomBytes(8).toString("hex"));
    const isNew = answer.ok && answer.value.type === "done" && !answer.value.repeated;
    if (own !== undefined && isNew) this.#newest = sentTrace(own);
    if (!this.#isLogged || (answer.ok && answer.value.type === "needs")) return;
    logLine("info", "Commit", {
      request_id: caller.requestId,
      ...traceFields(own),
      tenant: caller.tenant,
      actor: caller.actor,
      command: command.type,
      outcome: !answer.ok ? answer.refusal.error : isNew ? "done" : "repeated",
      seq: answer.asOf.seq,
    });
  }

  /** Undefined after an eviction; the nudge is then sent without a trace. */
  get newest(): SentTrace | undefined {
    return this.#newest;
  }
}
