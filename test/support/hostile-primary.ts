/**
 * Calls to an object with production's behaviour: calls that fail before they arrive, and calls whose reply is lost
 * after the object has committed (https://developers.cloudflare.com/durable-objects/best-practices/error-handling/).
 */
import type { Random } from "./clock.ts";

/** The edge makes three attempts, so a call that fails twice must still succeed. */
const MAX_FAULTS_PER_CALL = 2;
const REJECTED = 0.1;
const REPLY_LOST = 0.1;

type Stub = Readonly<Record<string, (argument: unknown) => Promise<unknown>>>;
type Namespace = { getByName(name: string): unknown };

export class HostilePrimaries {
  /** While true, no object is reachable. */
  unreachable = false;
  /** While true, calls are accepted and never answered. */
  silent = false;
  /** Faults so far, by kind, so that a test can verify that they occurred. */
  readonly faults = { rejected: 0, replyLost: 0 };
  readonly #namespace: Namespace;
  readonly #random: Random;
  readonly #faultsOfCall = new Map<string, number>();

  constructor(namespace: Namespace, random: Random) {
    this.#namespace = namespace;
    this.#random = random;
  }

  binding(): Namespace {
    return {
      getByName: (name) => {
        const stub = this.#namespace.getByName(name) as Stub;
        return new Proxy({} as Record<string, unknown>, {
          // Prevents a stub from being treated as a promise when it is awaited.
          get: (_, verb) =>
            verb === "then" ? undefined : (argument: unknown) => this.#call(stub, String(verb), argument),
        });
      },
    };
  }

  async #call(stub: Stub, verb: string, argument: unknown): Promise<unknown> {
    if (this.silent) return new Promise(() => undefined);
    if (this.unreachable)
      throw networkError("Cannot resolve Durable Object due to transient issue on remote node.", false);
    const fault = this.#nextFault(verb, argument);
    if (fault === "rejected") {
      this.faults.rejected += 1;
      throw networkError("Network connection lost.", true);
    }
    requireSize(verb, "argument", argument);
    const answer = await stub[verb]!(argument);
    requireSize(verb, "answer", answer);
    if (fault === "replyLost") {
      this.faults.replyLost += 1;
      throw networkError("Network connection lost.", true);
    }
    return answer;
  }

  #nextFault(verb: string, argument: unknown): "rejected" | "replyLost" | undefined {
    const call = `${verb} ${callName(argument)}`;
    const faults = this.#faultsOfCall.get(call) ?? 0;
    if (faults >= MAX_FAULTS_PER_CALL) return undefined;
    const dice = this.#random();
    if (dice >= REJECTED + REPLY_LOST) return undefined;
    this.#faultsOfCall.set(call, faults + 1);
    return dice < REJECTED ? "rejected" : "replyLost";
  }
}

/** The platform's limit is 32 MiB; the registry limits itself to a quarter of it. */
export const MAX_RPC_BYTES = 8 * 1024 * 1024;

function requireSize(verb: string, what: string, value: unknown): void {
  const bytes = serializedBytes(value, new Set());
  if (bytes > MAX_RPC_BYTES) throw new Error(`The ${what} of ${verb} has ${bytes} bytes; RPC takes ${MAX_RPC_BYTES}.`);
}

/** Approximates structured clone: repeated objects are references. */
function serializedBytes(value: unknown, met: Set<object>): number {
  if (typeof value === "string") return new TextEncoder().encode(value).length;
  if (typeof value !== "object" || value === null) return 8;
  if (met.has(value)) return 8;
  met.add(value);
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + serializedBytes(item, met), 8);
  return Object.entries(value).reduce((sum, [key, item]) => sum + key.length + serializedBytes(item, met), 8);
}

/** Attempts of one call share a name: the commandId, else all arguments. */
function callName(argument: unknown): string {
  const { commandId } = argument as { commandId?: string };
  return commandId ?? JSON.stringify(argument);
}

function networkError(message: string, retryable: boolean): Error {
  return Object.assign(new Error(message), { retryable, overloaded: false, remote: false });
}
