import { describe, expect, it, vi } from "vitest";
import {
  MAX_ATTEMPTS,
  openPrimary,
  PRIMARY_DEADLINE_MS,
  PrimaryUnreachable,
} from "../../../durable-objects/primary/client.ts";
import { EPOCH } from "../../../registry/log-entry.ts";
import { PROTOCOL_VERSION } from "../../../registry/rpc.ts";

type Failure = { retryable?: boolean; overloaded?: boolean; remote?: boolean };

/** A namespace whose primary fails as configured and then answers; it records its calls. */
function namespace(failures: Failure[]) {
  const asked: unknown[] = [];
  const names: string[] = [];
  const commit = async (request: unknown) => {
    asked.push(request);
    const failure = failures.shift();
    if (failure) throw Object.assign(new Error("lost"), failure);
    return { type: "done" };
  };
  const PRIMARIES = {
    getByName: (name: string) => {
      names.push(name);
      return { commit };
    },
  };
  return { env: { PRIMARIES }, asked, names };
}

const REQUEST = { commandId: "c-1" } as unknown as Parameters<ReturnType<typeof openPrimary>["commit"]>[0];

describe("openPrimary", () => {
  it("addresses the object by tenant and epoch and sends the protocol version", async () => {
    const { env, asked, names } = namespace([]);

    await openPrimary(env, "acme").commit(REQUEST);

    expect(names).toEqual([`acme/${EPOCH}`]);
    expect(asked).toEqual([{ v: PROTOCOL_VERSION, commandId: "c-1" }]);
  });

  it("repeats a retryable failure under the same commandId, each time with a fresh stub", async () => {
    const { env, asked, names } = namespace([{ retryable: true }, { retryable: true }]);

    expect(await openPrimary(env, "t").commit(REQUEST)).toEqual({ type: "done" });
    expect(asked).toEqual(Array(3).fill({ v: PROTOCOL_VERSION, commandId: "c-1" }));
    expect(names).toHaveLength(3);
  });

  it("gives up after three attempts with a refusal that has a retry delay", async () => {
    const { env, asked } = namespace(Array(5).fill({ retryable: true }));

    const failure = await openPrimary(env, "t")
      .commit(REQUEST)
      .catch((error: unknown) => error);

    expect(asked).toHaveLength(MAX_ATTEMPTS);
    expect((failure as PrimaryUnreachable).refusal).toMatchObject({ error: "NOT_READY", retryAfterSeconds: 1 });
  });

  it("does not repeat a call that an overloaded object refused, and answers busy", async () => {
    const { env, asked } = namespace([{ retryable: true, overloaded: true }]);

    const failure = await openPrimary(env, "t")
      .commit(REQUEST)
      .catch((error: unknown) => error);

    expect(asked).toHaveLength(1);
    expect((failure as PrimaryUnreachable).refusal).toMatchObject({ error: "BUSY" });
  });

  it("does not repeat any other failure of the platform", async () => {
    const { env, asked } = namespace([{ retryable: false, remote: false }]);

    await expect(openPrimary(env, "t").commit(REQUEST)).rejects.toThrow(PrimaryUnreachable);
    expect(asked).toHaveLength(1);
  });

  it("rethrows an exception from the object's own code as a bug", async () => {
    const { env, asked } = namespace([{ retryable: false, remote: true }]);

    const failure = await openPrimary(env, "t")
      .commit(REQUEST)
      .catch((error: unknown) => error);

    expect(failure).not.toBeInstanceOf(PrimaryUnreachable);
    expect(asked).toHaveLength(1);
  });

  it("stops waiting for a primary that does not answer", async () => {
    vi.useFakeTimers();
    const PRIMARIES = { getByName: () => ({ read: () => new Promise(() => undefined) }) };

    const failure = openPrimary({ PRIMARIES }, "t")
      .read("head", {})
      .catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(PRIMARY_DEADLINE_MS);
    vi.useRealTimers();

    expect(await failure).toBeInstanceOf(PrimaryUnreachable);
  });

  it("shares one deadline among all calls of a request", async () => {
    vi.useFakeTimers();
    const PRIMARIES = { getByName: () => ({ read: () => new Promise(() => undefined) }) };
    const primary = openPrimary({ PRIMARIES }, "t", { deadlineMs: 1_000 });

    const first = primary.read("head", {}).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1_000);
    const second = primary.read("head", {}).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(0);
    vi.useRealTimers();

    expect(await first).toBeInstanceOf(PrimaryUnreachable);
    expect(await second).toBeInstanceOf(PrimaryUnreachable);
  });

  it("returns the refusal of a read as a value", async () => {
    const refusal = { ok: false, refusal: { error: "NOT_READY", arguments: [], detail: "" } };
    const PRIMARIES = { getByName: () => ({ read: async () => refusal }) };

    expect(await openPrimary({ PRIMARIES }, "t").read("head", {})).toEqual(refusal);
  });
});
