/** A clock whose waits pass at once and are counted. Time limits of attempts run in real time, as sockets do. */
import type { Clock } from "../src/index.ts";

export class FakeClock implements Clock {
  readonly slept: number[] = [];
  /** Called when a wait begins, such as to cancel the call that waits. */
  onSleep: (() => void) | undefined;
  #nowMs = 0;
  readonly #wallMs: number;

  constructor(wallMs = 0) {
    this.#wallMs = wallMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallMs + this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.onSleep?.();
    signal?.throwIfAborted();
    this.slept.push(ms);
    this.#nowMs += ms;
  }

  startTimer(ms: number, expire: () => void): () => void {
    const timer = setTimeout(expire, ms);
    return () => clearTimeout(timer);
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}
