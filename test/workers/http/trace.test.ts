import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { avroRecord, plainRegistry } from "./native-calls.ts";

const WORKER = (exports as unknown as { default: Pick<Fetcher, "fetch"> }).default;
const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN_ID = "00f067aa0ba902b7";

const traceparentOf = async (headers: Record<string, string> = {}) => {
  const response = await WORKER.fetch(new Request("https://registry.test/health", { headers }));
  return response.headers.get("traceparent");
};

describe("traceparent", () => {
  it("is in the response with our own span in the caller's trace", async () => {
    const traceparent = await traceparentOf({ traceparent: `00-${TRACE_ID}-${SPAN_ID}-01` });

    expect(traceparent).toMatch(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`));
    expect(traceparent).not.toContain(SPAN_ID);
  });

  it.each([
    ["absent", {}],
    ["no trace context", { traceparent: "nonsense" }],
    ["in capitals", { traceparent: `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01` }],
    ["a trace of zeros", { traceparent: `00-${"0".repeat(32)}-${SPAN_ID}-01` }],
  ])("starts a new trace if it is %s", async (_what, headers) => {
    const traceparent = await traceparentOf(headers);

    expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(traceparent).not.toContain(TRACE_ID);
  });

  it("starts no trace for a read from memory, and continues a given one", async () => {
    const registry = plainRegistry();
    const { platform } = registry;
    const { id } = await registry.register("orders", avroRecord("id"));
    const path = `/api/v1/schemas/${id}/content`;
    await platform.fetch(path);

    const alone = await platform.fetch(path);
    const traced = await platform.fetch(path, { headers: { traceparent: `00-${TRACE_ID}-${SPAN_ID}-00` } });

    expect(alone.headers.get("X-Registry-Source")).toBe("memory");
    expect(alone.headers.get("traceparent")).toBeNull();
    expect(traced.headers.get("traceparent")).toMatch(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-00$`));
  });
});
