import { describe, expect, it, vi } from "vitest";
import { consumeChanges, parseNudge } from "../../../workers/queue/changes";

describe("parseNudge", () => {
  it("gives a nudge of this epoch", () => {
    expect(parseNudge({ tenant: "t", epoch: 1, upToSeq: 7 })).toEqual({ tenant: "t", epoch: 1, upToSeq: 7 });
  });

  it.each([
    null,
    undefined,
    7,
    {},
    { tenant: "", epoch: 1, upToSeq: 1 },
    { tenant: "t", epoch: 2, upToSeq: 1 },
    { tenant: "t", epoch: 1, upToSeq: 0 },
  ])("gives undefined for %j", (body) => {
    expect(parseNudge(body)).toBeUndefined();
  });
});

describe("consumeChanges", () => {
  it("acknowledges every message once, and reports those it cannot read", () => {
    const reported = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const message = (body: unknown) => ({ id: "m", body, ack: vi.fn() });
    const messages = [message({ tenant: "t", epoch: 1, upToSeq: 1 }), message("nonsense")];

    consumeChanges({ messages } as unknown as MessageBatch<unknown>);

    for (const { ack } of messages) expect(ack).toHaveBeenCalledTimes(1);
    expect(reported).toHaveBeenCalledTimes(1);
    reported.mockRestore();
  });
});
