import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { MAX_EVENT_RECORDS_BYTES, toEvents } from "../../../durable-objects/primary/answer/events.ts";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import { readEntries } from "../../../durable-objects/primary/state/log.ts";
import { StateReader } from "../../../durable-objects/primary/state/reader.ts";
import type { EventPage } from "../../../registry/event.ts";
import { PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { appendEntries, type PrimaryStub, primaryWith, register } from "./commands.ts";

const ATTRIBUTES = { description: "words", tags: ["a"], owner: "team", metadata: {}, role: null };

describe("PrimaryObject.readEvents", () => {
  it("shows a record completely while it fits, and without its free-form parts beyond that", async () => {
    const primary = await primaryWith();
    await register(primary, "small", "a", { attributes: ATTRIBUTES });
    const [{ records }] = (await eventsAfter(primary, 0)).events as [EventPage["events"][number]];
    const rest = Buffer.byteLength(JSON.stringify({ ...records[0]!, subject: "fits1" }));
    const metadata = { properties: { note: "" } };
    const added =
      Buffer.byteLength(JSON.stringify({ metadata, ruleSet: null })) - '{"metadata":null,"ruleSet":null}'.length;
    const room = MAX_EVENT_RECORDS_BYTES - rest - added;

    await register(primary, "fits1", "b", { attributes: ATTRIBUTES, metadata: noteOf(room) });
    await register(primary, "large", "c", { attributes: ATTRIBUTES, metadata: noteOf(room + 1) });

    const { events } = await eventsAfter(primary, 1);
    expect(events[0]).toMatchObject({ trimmed: false, records: [{ contract: { metadata: noteOf(room) } }] });
    expect(events[1]).toMatchObject({
      trimmed: true,
      records: [
        {
          subject: "large",
          versionNumber: 1,
          references: [],
          contract: { metadata: null, ruleSet: null },
          attributes: { description: null, tags: [], owner: "team", metadata: {}, role: null },
        },
      ],
    });
  });

  it("returns the events that fit into a response, and at least one", async () => {
    const primary = await primaryWith();
    await appendEntries(primary, 5);
    const { events } = await eventsAfter(primary, 0);
    const bytes = Buffer.byteLength(JSON.stringify(events[0]));

    const counts = await runInDurableObject(primary, (_object: PrimaryObject, { storage }) => {
      const state = new StateReader(storage.sql, "NONE");
      const entries = readEntries(storage.sql, 0, 10, 1_000_000);
      return [3 * bytes, 3 * bytes - 1, 1].map((most) => toEvents({ sql: storage.sql, state }, entries, most).length);
    });

    expect(counts).toEqual([3, 2, 1]);
  });
});

function noteOf(characters: number) {
  return { properties: { note: "n".repeat(characters) } };
}

async function eventsAfter(primary: PrimaryStub, after: number): Promise<EventPage> {
  return await primary.readEvents({ v: PROTOCOL_VERSION, after, limit: 100 });
}
