/**
 * Consistency tokens: `<epoch>.<seq>.<seq of the last hard delete>`. The newer of two has the greater epoch, and at the
 * same epoch the greater seq; parts of two tokens are never combined.
 */
export interface Token {
  readonly epoch: number;
  readonly seq: number;
  readonly hardDeleteSeq: number;
  readonly text: string;
}

/** How much of a token a cached value must have reached: content only changes by a hard delete. */
export type TokenScope = "content" | "record";

const TOKEN = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/;

export function parseToken(text: string | null | undefined): Token | undefined {
  const parts = text ? TOKEN.exec(text) : null;
  if (parts === null) return undefined;
  const token = { epoch: Number(parts[1]), seq: Number(parts[2]), hardDeleteSeq: Number(parts[3]), text: parts[0] };
  return token.hardDeleteSeq <= token.seq ? token : undefined;
}

export function newestToken(held: Token | undefined, incoming: Token): Token {
  if (held === undefined) return incoming;
  const order = held.epoch - incoming.epoch || held.seq - incoming.seq;
  if (order !== 0) return order > 0 ? held : incoming;
  return incoming.hardDeleteSeq < held.hardDeleteSeq ? incoming : held;
}

/** Whether a token is of an earlier state than another. */
export function isBefore(token: Token, other: Token): boolean {
  return (token.epoch - other.epoch || token.seq - other.seq) < 0;
}

/** Whether a value that was read at `held` satisfies what `required` asks. */
export function reachesToken(held: Token | undefined, required: Token | undefined, scope: TokenScope): boolean {
  if (required === undefined) return true;
  if (held === undefined) return false;
  if (held.epoch !== required.epoch) return held.epoch > required.epoch;
  return held.seq >= (scope === "content" ? required.hardDeleteSeq : required.seq);
}

/** The two tokens of a client, shared by its `withOptions` copies. */
export class Tokens {
  /** The newest of all answers; sent with every read and registration. */
  seen: Token | undefined;
  /** The newest of the client's own writes and of what the caller gave; cached values must reach it. */
  wrote: Token | undefined;
  unreadable = 0;

  learn(text: string | null, write: boolean): Token | undefined {
    if (text === null) return undefined;
    const token = parseToken(text);
    if (token === undefined) {
      this.unreadable += 1;
      return undefined;
    }
    this.seen = newestToken(this.seen, token);
    if (write) this.wrote = newestToken(this.wrote, token);
    return token;
  }

  require(token: Token): void {
    this.wrote = newestToken(this.wrote, token);
    this.seen = newestToken(this.seen, token);
  }
}
