/**
 * Holds an isolate's denied attempts and sends them to the queue: at most one message in five seconds, of bounded size.
 * Nothing waits for it, and the primary is never asked.
 */
import { errorFields, logLine } from "../../observe/log-line.ts";
import {
  DENIAL_MESSAGE_VERSION,
  type Denial,
  type DenialMessage,
  denialKey,
  mergeDenial,
} from "../../registry/denial.ts";
import type { Bindings } from "../edge.ts";

const SEND_EVERY_MS = 5_000;
/** Distinct denials in memory: at most 1 MiB. Further ones are counted without their caller. */
export const MAX_HELD_DENIALS = 512;
/** Of these, those without a valid credential: anyone can send any number, and must not crowd out a tenant's own. */
export const MAX_HELD_UNAUTHENTICATED_DENIALS = 256;
/** A queue takes 128 KB (https://developers.cloudflare.com/queues/platform/limits/). */
export const MAX_DENIAL_MESSAGE_BYTES = 96 * 1_024;
/** Messages that one request's background work sends; it may take 30 s. */
const MAX_MESSAGES_IN_TURN = 4;
/** A sender whose request was cut off is replaced after this time. */
const SENDER_LOST_AFTER_MS = 30_000;

type Sending = {
  env: Pick<Bindings, "DENIALS">;
  now(): number;
  newId(): string;
  waitUntil(promise: Promise<unknown>): void;
};

export class HeldDenials {
  readonly #sendEveryMs: number;
  readonly #authenticated = new Map<string, Denial>();
  readonly #unauthenticated = new Map<string, Denial>();
  #dropped = 0;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  /** When the waiting sender started. */
  #senderSinceMs: number | undefined;

  constructor(sendEveryMs = SEND_EVERY_MS) {
    this.#sendEveryMs = sendEveryMs;
  }

  /** The first denial is sent at once, so that a single one does not depend on another request. */
  add(denial: Denial, sending: Sending): void {
    this.#hold(denial);
    const nowMs = sending.now();
    const isSending = this.#senderSinceMs !== undefined && nowMs - this.#senderSinceMs < SENDER_LOST_AFTER_MS;
    if (isSending) return;
    this.#senderSinceMs = nowMs;
    sending.waitUntil(this.#send(sending));
  }

  async #send(sending: Sending): Promise<void> {
    for (let sent = 0; sent < MAX_MESSAGES_IN_TURN && this.#size > 0; sent += 1) {
      const waitMs = this.#lastSentMs + this.#sendEveryMs - sending.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(waitMs, this.#sendEveryMs)));
      this.#lastSentMs = sending.now();
      const message = this.#take(sending.newId());
      try {
        await sending.env.DENIALS.send(message);
      } catch (error) {
        for (const denial of message.denials) this.#hold(denial);
        this.#dropped += message.dropped;
        logLine("warn", "Denied attempts could not be queued, and are sent with the next ones.", errorFields(error));
        break;
      }
    }
    this.#senderSinceMs = undefined;
  }

  get #size(): number {
    return this.#authenticated.size + this.#unauthenticated.size;
  }

  #hold(denial: Denial): void {
    const isAuthenticated = denial.actor !== null;
    const held = isAuthenticated ? this.#authenticated : this.#unauthenticated;
    const isFull =
      this.#size >= MAX_HELD_DENIALS || (!isAuthenticated && held.size >= MAX_HELD_UNAUTHENTICATED_DENIALS);
    if (!isFull || held.has(denialKey(denial))) {
      mergeDenial(held, denial);
      return;
    }
    const folded = withoutCaller(denial);
    const hasRoom = this.#size < 2 * MAX_HELD_DENIALS || held.has(denialKey(folded));
    if (hasRoom) mergeDenial(held, folded);
    else this.#dropped += denial.count;
  }

  #take(id: string): DenialMessage {
    const denials: Denial[] = [];
    let bytes = 0;
    for (const held of [this.#authenticated, this.#unauthenticated]) {
      for (const [key, denial] of held) {
        bytes += new TextEncoder().encode(JSON.stringify(denial)).length + 1;
        if (bytes > MAX_DENIAL_MESSAGE_BYTES && denials.length > 0) break;
        denials.push(denial);
        held.delete(key);
      }
    }
    const dropped = this.#dropped;
    this.#dropped = 0;
    return { v: DENIAL_MESSAGE_VERSION, id, denials, dropped };
  }
}

/** A caller may vary all of these at will, so past the bound they are left out. */
function withoutCaller(denial: Denial): Denial {
  return { ...denial, subject: null, credential: null, address: null, network: null, route: "*", method: "*" };
}
