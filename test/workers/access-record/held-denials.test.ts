import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Denial, DenialMessage } from "../../../registry/denial.ts";
import {
  HeldDenials,
  MAX_DENIAL_MESSAGE_BYTES,
  MAX_HELD_DENIALS,
  MAX_HELD_UNAUTHENTICATED_DENIALS,
} from "../../../workers/access-record/held-denials.ts";
import type { Bindings } from "../../../workers/edge.ts";

function denialOf(fields: Partial<Denial> = {}): Denial {
  const nowMs = 1_764_000_000_000;
  const times = { minuteMs: nowMs - (nowMs % 60_000), firstAtMs: nowMs, lastAtMs: nowMs };
  const route = { method: "GET", route: "/subjects", subject: null };
  const caller = { actor: null, credential: null, address: "address:1", network: "192.0.2.0/24" };
  return {
    tenant: "default",
    status: 401,
    code: "unauthorized",
    ...route,
    ...caller,
    ...times,
    count: 1,
    requestId: "r",
    ...fields,
  };
}

function queue() {
  const messages: DenialMessage[] = [];
  let isAway = false;
  const background: Promise<unknown>[] = [];
  const send = async (message: DenialMessage) => {
    if (isAway) throw new Error("away");
    messages.push(message);
  };
  return {
    messages,
    setAway: (away: boolean) => {
      isAway = away;
    },
    settled: () => Promise.all(background),
    sending: {
      env: { DENIALS: { send } as unknown as Bindings["DENIALS"] },
      now: () => Date.now(),
      newId: () => crypto.randomUUID(),
      waitUntil: (promise: Promise<unknown>) => void background.push(promise),
    },
  };
}

const total = (messages: readonly DenialMessage[]) =>
  messages.flatMap(({ denials }) => denials).reduce((sum, { count }) => sum + count, 0);

describe("HeldDenials", () => {
  beforeEach(() => {
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("sends the first attempt at once, and identical later ones as one", async () => {
    const { messages, sending, settled } = queue();
    const held = new HeldDenials(20);

    for (let attempt = 0; attempt < 500; attempt += 1) held.add(denialOf(), sending);
    await settled();

    expect(messages.length).toBeLessThanOrEqual(2);
    expect(total(messages)).toBe(500);
  });

  it("keeps attempts apart by caller, address and minute", async () => {
    const { messages, sending, settled } = queue();
    const held = new HeldDenials(0);
    const others: Partial<Denial>[] = [
      { address: "address:2" },
      { credential: "key:1" },
      { minuteMs: 0 },
      { status: 403 },
    ];

    for (const fields of [{}, ...others]) held.add(denialOf(fields), sending);
    await settled();

    expect(messages.flatMap(({ denials }) => denials)).toHaveLength(5);
  });

  it("sends what the queue refused with the next attempt", async () => {
    const { messages, sending, settled, setAway } = queue();
    const held = new HeldDenials(0);
    setAway(true);
    held.add(denialOf(), sending);
    await settled();
    setAway(false);

    held.add(denialOf(), sending);
    await settled();

    expect(total(messages)).toBe(2);
  });

  it(`holds ${MAX_HELD_DENIALS} distinct attempts, counts further ones without their caller, and loses no count`, async () => {
    const { messages, sending, settled, setAway } = queue();
    const held = new HeldDenials(0);
    const beyond = 10_000;
    setAway(true);
    held.add(denialOf(), sending);
    await settled();
    const waiting = { ...sending, waitUntil: () => undefined };
    for (let attempt = 0; attempt < MAX_HELD_DENIALS + beyond; attempt += 1) {
      held.add(denialOf({ actor: "key:1", address: `address:${attempt}x` }), waiting);
    }
    setAway(false);

    for (let turn = 0; turn < 10; turn += 1) {
      const later = { ...sending, now: () => Date.now() + turn * 60_000 };
      held.add(denialOf(), later);
      await settled();
    }

    const sent = messages.flatMap(({ denials }) => denials);
    expect(sent.filter(({ address }) => address?.endsWith("x")).length).toBeLessThanOrEqual(MAX_HELD_DENIALS);
    expect(sent.find(({ route }) => route === "*")?.count).toBeGreaterThanOrEqual(beyond);
    expect(total(messages) + messages.reduce((sum, { dropped }) => sum + dropped, 0)).toBe(
      MAX_HELD_DENIALS + beyond + 11,
    );
  });

  it(`keeps ${MAX_HELD_UNAUTHENTICATED_DENIALS} without a valid credential apart, and every one of a tenant's own`, async () => {
    const { messages, sending, settled, setAway } = queue();
    const held = new HeldDenials(0);
    setAway(true);
    held.add(denialOf(), sending);
    await settled();
    const waiting = { ...sending, waitUntil: () => undefined };
    const flood = 5_000;
    for (let n = 0; n < flood; n += 1) held.add(denialOf({ address: `address:${n}x` }), waiting);
    const own = { tenant: "other", actor: "key:1", subject: "orders", status: 403 };
    held.add(denialOf(own), waiting);
    setAway(false);

    for (let turn = 0; turn < 10; turn += 1) {
      const later = { ...sending, now: () => Date.now() + turn * 60_000 };
      held.add(denialOf(), later);
      await settled();
    }

    const sent = messages.flatMap(({ denials }) => denials);
    expect(sent.find(({ tenant }) => tenant === "other")).toMatchObject(own);
    expect(sent.filter(({ address }) => address?.endsWith("x"))).toHaveLength(MAX_HELD_UNAUTHENTICATED_DENIALS);
    expect(total(messages)).toBe(1 + flood + 1 + 10);
    expect(messages[0]?.denials[0]).toMatchObject(own);
  });

  it("sends messages that a queue takes", async () => {
    const { messages, sending, settled, setAway } = queue();
    const held = new HeldDenials(0);
    setAway(true);
    for (let attempt = 0; attempt < MAX_HELD_DENIALS; attempt += 1) {
      held.add(denialOf({ subject: `${attempt}${"ü".repeat(250)}` }), sending);
    }
    await settled();
    setAway(false);

    held.add(denialOf(), sending);
    await settled();

    expect(messages.length).toBeGreaterThan(1);
    for (const message of messages) {
      const bytes = new TextEncoder().encode(JSON.stringify(message)).length;
      expect(bytes).toBeLessThanOrEqual(MAX_DENIAL_MESSAGE_BYTES + 1_024);
    }
  });
});
