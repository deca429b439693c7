/** Reads a body slowly by the platform's clock, as a client with a slow connection does. */
import { vi } from "vitest";
import type { ObjectNamespace } from "../../durable-objects/placement.ts";

const DISTANCE_MS = 20;

/** Primaries whose answers take time, as over a network; nearby ones answer before a deadline that has passed is noticed. */
export function distantPrimaries(namespace: ObjectNamespace): ObjectNamespace {
  return {
    getByName: (name) => {
      const stub = namespace.getByName(name) as Readonly<Record<string, (argument: unknown) => Promise<unknown>>>;
      return new Proxy({} as Record<string, unknown>, {
        get: (_, verb) => async (argument: unknown) => {
          await new Promise((resolve) => setTimeout(resolve, DISTANCE_MS));
          return stub[String(verb)]!(argument);
        },
      });
    },
  };
}

/** Waits this long before every part of the body; the clock is set back at the end. */
export async function readSlowly(body: ReadableStream<Uint8Array>, waitMs: number): Promise<string> {
  const realNow = Date.now.bind(Date);
  let waitedMs = 0;
  const clock = vi.spyOn(Date, "now").mockImplementation(() => realNow() + waitedMs);
  try {
    const decoder = new TextDecoder();
    let text = "";
    for await (const part of body) {
      text += decoder.decode(part, { stream: true });
      waitedMs += waitMs;
    }
    return text;
  } finally {
    clock.mockRestore();
  }
}
