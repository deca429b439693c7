/**
 * Counts an invocation's calls of bindings, which the simulator does not: at most 1,000, including those after the
 * response (https://developers.cloudflare.com/workers/platform/limits/#subrequests).
 */
import { AsyncLocalStorage } from "node:async_hooks";

export const MAX_SUBREQUESTS = 1_000;

export class Invocations {
  readonly #running = new AsyncLocalStorage<{ subrequests: number }>();

  /** Everything that `work` starts belongs to one invocation, however late it runs. */
  run<T>(work: () => T): T {
    return this.#running.run({ subrequests: 0 }, work);
  }

  /** The binding, with every call counted. */
  counting<T extends object>(binding: T): T {
    return new Proxy(binding, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          this.#count();
          return value.apply(target, args) as unknown;
        };
      },
    });
  }

  #count(): void {
    const invocation = this.#running.getStore();
    if (invocation === undefined) return;
    invocation.subrequests += 1;
    if (invocation.subrequests > MAX_SUBREQUESTS) throw new Error("Too many subrequests by single Worker invocation.");
  }
}
