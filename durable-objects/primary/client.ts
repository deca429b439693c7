/**
 * The client of a tenant's primary: the only place that obtains the stub, and the policy for calls that throw. A call
 * is repeated unchanged (a commit keeps its commandId), at most three times in all, and only if the platform says the
 * error is retryable.
 */

import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import { withinDeadline } from "../../registry/deadline.ts";
import type { EventPage } from "../../registry/event.ts";
import type { CheckAnswer, CheckRequest, LookupAnswer, LookupRequest } from "../../registry/lookup.ts";
import type { Queries, QueryName, ReadAnswer } from "../../registry/questions.ts";
import {
  type CommitAnswer,
  type CommitRequest,
  type LogPage,
  PROTOCOL_VERSION,
  type Primary,
} from "../../registry/rpc.ts";
import type { LocationHint } from "../../registry/tenant.ts";
import type { Result } from "../../schema/result.ts";
import { type ObjectNamespace, openObject } from "../placement.ts";

export const MAX_ATTEMPTS = 3;
/** Delays before the second and third attempt: an evicted object is back within tens of milliseconds. */
const PAUSES_MS = [20, 100];
/** An edge request may take 10 s, so all its calls to the primary together wait no longer. */
export const PRIMARY_DEADLINE_MS = 10_000;
const RETRY_AFTER_SECONDS = 1;

/** The primary's methods as use cases call them: refusals are values, an unreachable primary is thrown. */
export type PrimaryClient = {
  commit(request: Omit<CommitRequest, "v">): Promise<CommitAnswer>;
  lookup(request: Omit<LookupRequest, "v">): Promise<LookupAnswer>;
  check(request: Omit<CheckRequest, "v">): Promise<CheckAnswer>;
  read<K extends QueryName>(name: K, args: Queries[K][0]): Promise<Result<ReadAnswer<K>, Refusal>>;
  readLog(args: { after: number; limit: number }): Promise<LogPage>;
  readEvents(args: { after: number; limit: number }): Promise<EventPage>;
  storageBytes(): Promise<{ used: number; limit: number }>;
  readSegment(args: Omit<Parameters<Primary["readSegment"]>[0], "v">): ReturnType<Primary["readSegment"]>;
  erasedIn(args: Omit<Parameters<Primary["erasedIn"]>[0], "v">): ReturnType<Primary["erasedIn"]>;
  readState(): ReturnType<Primary["readState"]>;
  restoreSegment(segment: Uint8Array): ReturnType<Primary["restoreSegment"]>;
  finishRestore(args: Omit<Parameters<Primary["finishRestore"]>[0], "v">): ReturnType<Primary["finishRestore"]>;
  abandonRestore(): ReturnType<Primary["abandonRestore"]>;
  sweepTexts(): ReturnType<Primary["sweepTexts"]>;
};

/** The primary is unreachable. Thrown, because every caller except the content read path responds in the same way. */
export class PrimaryUnreachable extends Error {
  readonly refusal: Refusal;

  constructor(reason: "unreachable" | "overloaded" | "deadline", cause?: unknown) {
    super(`The primary cannot be reached: ${reason}.`, { cause });
    const more = { retryAfterSeconds: RETRY_AFTER_SECONDS };
    this.refusal =
      reason === "overloaded"
        ? makeRefusal("BUSY", ["The registry is busy"], "The registry is busy: retry the request after a moment.", more)
        : makeRefusal(
            "NOT_READY",
            ["The registry cannot be reached"],
            "The registry's primary is currently unreachable. Retry the request; retry a write with the same Idempotency-Key.",
            more,
          );
  }
}

type PrimaryOptions = {
  /** The time that all calls through this client together may take, from now. */
  deadlineMs?: number;
  /** Where the object should be created; ignored if it exists. */
  locationHint?: LocationHint | null;
};

/** Returns the tenant's primary. Addressing it creates it, so the tenant must come from a credential. */
export function openPrimary(
  env: { PRIMARIES: ObjectNamespace },
  tenant: string,
  { deadlineMs = PRIMARY_DEADLINE_MS, locationHint = null }: PrimaryOptions = {},
): PrimaryClient {
  const giveUpAtMs = Date.now() + deadlineMs;
  // A fresh stub for every attempt: after some errors a stub stays broken for good.
  const stub = () => openObject(env.PRIMARIES, tenant, locationHint) as Primary;
  return {
    commit: (request) => callPrimary(giveUpAtMs, () => stub().commit({ v: PROTOCOL_VERSION, ...request })),
    lookup: (request) => callPrimary(giveUpAtMs, () => stub().lookup({ v: PROTOCOL_VERSION, ...request })),
    check: (request) => callPrimary(giveUpAtMs, () => stub().check({ v: PROTOCOL_VERSION, ...request })),
    readLog: (args) => callPrimary(giveUpAtMs, () => stub().readLog({ v: PROTOCOL_VERSION, ...args })),
    readEvents: (args) => callPrimary(giveUpAtMs, () => stub().readEvents({ v: PROTOCOL_VERSION, ...args })),
    storageBytes: () => callPrimary(giveUpAtMs, () => stub().storageBytes()),
    readSegment: (args) => callPrimary(giveUpAtMs, () => stub().readSegment({ v: PROTOCOL_VERSION, ...args })),
    erasedIn: (args) => callPrimary(giveUpAtMs, () => stub().erasedIn({ v: PROTOCOL_VERSION, ...args })),
    readState: () => callPrimary(giveUpAtMs, () => stub().readState({ v: PROTOCOL_VERSION })),
    // A segment that is sent twice is appended once, so these calls may be repeated like any other.
    restoreSegment: (segment) => callPrimary(giveUpAtMs, () => stub().restoreSegment({ v: PROTOCOL_VERSION, segment })),
    abandonRestore: () => callPrimary(giveUpAtMs, () => stub().abandonRestore({ v: PROTOCOL_VERSION })),
    sweepTexts: () => callPrimary(giveUpAtMs, () => stub().sweepTexts({ v: PROTOCOL_VERSION })),
    finishRestore: (args) => callPrimary(giveUpAtMs, () => stub().finishRestore({ v: PROTOCOL_VERSION, ...args })),
    async read<K extends QueryName>(name: K, args: Queries[K][0]) {
      const query = { v: PROTOCOL_VERSION, name, args } as unknown as Parameters<Primary["read"]>[0];
      return (await callPrimary(giveUpAtMs, () => stub().read(query))) as Result<ReadAnswer<K>, Refusal>;
    },
  };
}

async function callPrimary<T>(giveUpAtMs: number, call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await withinDeadline(giveUpAtMs - Date.now(), call(), () => {
        throw new PrimaryUnreachable("deadline");
      });
    } catch (error) {
      if (error instanceof PrimaryUnreachable) throw error;
      const { retryable, overloaded, remote } = error as {
        retryable?: unknown;
        overloaded?: unknown;
        remote?: unknown;
      };
      if (overloaded === true) throw new PrimaryUnreachable("overloaded", error);
      if (retryable !== true) {
        // An exception from the object's own code is a bug and stays one; everything else is a platform failure.
        if (remote === true) throw error;
        throw new PrimaryUnreachable("unreachable", error);
      }
      if (attempt === MAX_ATTEMPTS) throw new PrimaryUnreachable("unreachable", error);
      await new Promise((resolve) => setTimeout(resolve, PAUSES_MS[attempt - 1]));
    }
  }
}
