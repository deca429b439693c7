import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RecordView, recordsOf, sendUntilAnswered } from "../support/native-client.ts";
import { freePort, type RegistryProcess, spawnRegistry, temporaryState } from "../support/registry-process.ts";

const WRITERS = 100;

describe(`${WRITERS} parallel registrations`, () => {
  const state = temporaryState();
  let registry: RegistryProcess;

  beforeAll(async () => {
    registry = spawnRegistry({ port: await freePort(), stateDir: state.stateDir });
    await registry.ready();
  });

  afterAll(async () => {
    await registry.stop();
    state.remove();
  });

  async function registerAll(subject: string, level: string, schemas: readonly unknown[]): Promise<RecordView[]> {
    const set = await sendUntilAnswered(registry.url, "PUT", `/subjects/${subject}/compatibility`, { level });
    expect(set.status, JSON.stringify(set.body)).toBe(200);
    return Promise.all(
      schemas.map(async (content) => {
        const { status, body } = await sendUntilAnswered(registry.url, "POST", "/schemas", {
          subject,
          format: "avro",
          content,
        });
        expect([200, 201], JSON.stringify(body)).toContain(status);
        return body as RecordView;
      }),
    );
  }

  it.each(["NONE", "BACKWARD", "FULL_TRANSITIVE"])(
    "of different contents to one subject create as many versions at %s",
    async (level) => {
      const subject = `race-${level}`;

      const answered = await registerAll(
        subject,
        level,
        Array.from({ length: WRITERS }, (_, n) => withOptional(`f${n}`)),
      );

      const expected = Array.from({ length: WRITERS }, (_, n) => n + 1);
      expect(answered.map(({ version_number }) => version_number!).toSorted((a, b) => a - b)).toEqual(expected);
      const stored = await recordsOf(registry.url, subject);
      expect(stored.map(({ version_number }) => version_number)).toEqual(expected);
      for (const { id, content } of answered)
        expect(stored.find((record) => record.id === id)?.content).toEqual(content);
    },
  );

  it("of one content to one subject create one version", async () => {
    const answered = await registerAll(
      "race-same",
      "BACKWARD",
      Array.from({ length: WRITERS }, () => withOptional("f")),
    );

    expect(new Set(answered.map(({ id }) => id)).size).toBe(1);
    expect(await recordsOf(registry.url, "race-same")).toHaveLength(1);
  });

  it("of one content to many subjects give it one Confluent id", async () => {
    const content = withOptional("shared");

    const answered = await Promise.all(
      Array.from({ length: WRITERS }, async (_, n) => {
        const { body } = await sendUntilAnswered(registry.url, "POST", "/schemas", {
          subject: `race-${n}`,
          format: "avro",
          content,
        });
        return body as RecordView;
      }),
    );

    expect(new Set(answered.map(({ confluent_id }) => confluent_id)).size).toBe(1);
    expect(new Set(answered.map(({ id }) => id)).size).toBe(WRITERS);
  });
});

/** Any two of these can read each other's data. */
function withOptional(field: string) {
  return {
    type: "record",
    name: "Row",
    fields: [
      { name: "key", type: "string" },
      { name: field, type: ["null", "string"], default: null },
    ],
  };
}
