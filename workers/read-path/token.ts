/** The consistency token `<epoch>.<seq>.<seq of the last hard delete>` that callers send back to read their own writes. */
import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import type { AsOf } from "../../registry/log-entry.ts";

export function printToken({ epoch, seq, lastHardDelete }: AsOf): string {
  return `${epoch}.${seq}.${lastHardDelete}`;
}

/** At most 15 digits each, so that every part is an exact double. */
const TOKEN = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/;

/** Undefined if the text is not a token. */
export function parseToken(text: string): AsOf | undefined {
  const match = TOKEN.exec(text);
  if (!match) return undefined;
  const [epoch, seq, lastHardDelete] = match.slice(1).map(Number) as [number, number, number];
  return lastHardDelete > seq ? undefined : { epoch, seq, lastHardDelete };
}

/** Content never changes and only a hard delete removes it, so it suffices that the cached value is newer than the caller's last hard delete. */
export function contentSatisfies(asOf: AsOf, token: AsOf | undefined): boolean {
  return token === undefined || isAtLeast(asOf, token.epoch, token.lastHardDelete);
}

/** A record may change with any entry of the log. */
export function recordSatisfies(asOf: AsOf, token: AsOf | undefined): boolean {
  return token === undefined || isAtLeast(asOf, token.epoch, token.seq);
}

/** Whether `a` was read from an earlier state than `b`. */
export function isOlder(a: AsOf, b: AsOf): boolean {
  return a.epoch !== b.epoch ? a.epoch < b.epoch : a.seq < b.seq;
}

function isAtLeast(asOf: AsOf, epoch: number, seq: number): boolean {
  return asOf.epoch !== epoch ? asOf.epoch > epoch : asOf.seq >= seq;
}

/**
 * The refusal of a token that is newer than the primary's state. Waiting would not help: the registry has never issued
 * it, or has lost that state since.
 */
export function notReached(token: AsOf, asOf: AsOf): Refusal {
  const detail = `X-Registry-Min-Seq requires the state ${printToken(token)}, which this registry has not reached: it is at ${printToken(asOf)}. Send a token from one of its own responses.`;
  return makeRefusal("BAD_REQUEST", [detail], detail, { items: [{ rule: "token", message: detail }] });
}
