import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { seededRandom } from "../support/clock.ts";
import { firstFlaw } from "../support/log-chain.ts";
import { logOf, type RecordView, recordsOf, send, sendUntilAnswered } from "../support/native-client.ts";
import { freePort, kill, type RegistryProcess, spawnRegistry, temporaryState } from "../support/registry-process.ts";
import { overState, tablesAt } from "../support/stopped-registry.ts";

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 10);
const SEED = Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000);
const WRITERS = 8;
const SUBJECTS = ["orders", "payments", "users"];
/** A round is short enough for ten of them, and long enough to be killed in the middle of anything. */
const ROUND_MS = { least: 100, most: 1_200 };
const SHARE = { delete: 0.15, update: 0.15 };
/** First outcomes asked for again after each kill. */
const REPEATED_PER_ROUND = 20;

type Write = { method: string; path: string; body?: unknown; key: string };
type Outcome = { status: number; body: unknown };

/** What the registry has promised: every acknowledged write, by its key, and what each record must therefore be. */
class Promises {
  readonly acknowledged: { write: Write; outcome: Outcome }[] = [];
  readonly records = new Map<
    string,
    { record: RecordView; field: string; description: string | null; deleted: boolean }
  >();

  acknowledge(write: Write, outcome: Outcome): void {
    expect(outcome.status, JSON.stringify(outcome.body)).toBeLessThan(300);
    this.acknowledged.push({ write, outcome });
    if (write.method === "POST") {
      const record = outcome.body as RecordView;
      const field = fieldOf((write.body as { content: Avro }).content);
      this.records.set(record.id, { record, field, description: null, deleted: false });
      return;
    }
    const promised = this.records.get(write.path.split("/")[2]!)!;
    if (write.method === "DELETE") promised.deleted = true;
    else promised.description = (write.body as { description: string }).description;
  }
}

describe(`SIGKILL in the middle of writes (${ROUNDS} rounds, FAULT_SEED=${SEED})`, () => {
  const random = seededRandom(SEED);
  const state = temporaryState();
  const promises = new Promises();
  let registry: RegistryProcess | undefined;
  let nextKey = 0;

  afterAll(async () => {
    await registry?.kill();
    state.remove();
  });

  it(
    "loses no acknowledged write, doubles none, and keeps the log and the state in step",
    async () => {
      const port = await freePort();
      registry = spawnRegistry({ port, stateDir: state.stateDir });
      await registry.ready();
      const { url } = registry;
      const none = await sendUntilAnswered(url, "PUT", "/compatibility", { level: "NONE" });
      expect(none.status, JSON.stringify(none.body)).toBe(200);

      let cutOff = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const lost = await writeUntilKilled(url, registry, round);
        if (round % 2 === 0) registry = spawnRegistry({ port, stateDir: state.stateDir });
        await registry.ready();

        cutOff += lost.length;
        for (const write of lost) promises.acknowledge(write, await repeat(url, write));
        for (let n = 0; n < REPEATED_PER_ROUND; n += 1) {
          const { write, outcome } = promises.acknowledged[Math.floor(random() * promises.acknowledged.length)]!;
          expect(await repeat(url, write)).toEqual(outcome);
        }
      }

      await expectPromisesKept(url);
      const entries = await logOf(url);
      expect(firstFlaw(entries)).toBeUndefined();
      // One entry for the level, one for each write: none is missing and none occurs twice.
      expect(entries).toHaveLength(1 + promises.acknowledged.length);
      process.stdout.write(
        `${promises.acknowledged.length} writes, ${cutOff} of them cut off by a kill and repeated.\n`,
      );
      await registry.stop();
      await overState(state.stateDir, tablesAt);
    },
    ROUNDS * 30_000 + 120_000,
  );

  /** Lets writers write, kills every process (even rounds) or workerd alone (odd rounds), and gives the writes without an answer. */
  async function writeUntilKilled(url: string, running: RegistryProcess, round: number): Promise<Write[]> {
    const lost: Write[] = [];
    const before = promises.acknowledged.length;
    const writers = Array.from({ length: WRITERS }, () => writeUntilLost(url, lost));
    await pause(ROUND_MS.least + random() * (ROUND_MS.most - ROUND_MS.least));
    // On a loaded machine the first writes may take longer than the round; a kill before them would test nothing.
    while (promises.acknowledged.length === before) await pause(10);
    if (round % 2 === 0) await running.kill();
    else kill(running.pids().runtime!);
    await Promise.all(writers);
    return lost;
  }

  async function writeUntilLost(url: string, lost: Write[]): Promise<void> {
    const mine: RecordView[] = [];
    for (;;) {
      const write = nextWrite(mine);
      const sent = await send(url, write.method, write.path, write.body, write.key);
      if ("lost" in sent) {
        lost.push(write);
        return;
      }
      promises.acknowledge(write, sent);
      if (write.method === "POST") mine.push(sent.body as RecordView);
    }
  }

  function nextWrite(mine: RecordView[]): Write {
    nextKey += 1;
    const key = `${SEED}-${nextKey}`;
    const dice = random();
    if (dice < SHARE.delete && mine.length > 0) return { method: "DELETE", path: `/schemas/${mine.pop()!.id}`, key };
    if (dice < SHARE.delete + SHARE.update && mine.length > 0) {
      return { method: "PATCH", path: `/schemas/${mine.at(-1)!.id}`, body: { description: `as of ${key}` }, key };
    }
    const subject = SUBJECTS[Math.floor(random() * SUBJECTS.length)]!;
    return { method: "POST", path: "/schemas", body: { subject, format: "avro", content: avro(`f${nextKey}`) }, key };
  }

  async function expectPromisesKept(url: string): Promise<void> {
    for (const subject of SUBJECTS) {
      const found = await recordsOf(url, subject);
      const promised = [...promises.records.values()].filter(({ record }) => record.subject === subject);

      expect(found.map(({ version_number }) => version_number)).toEqual(found.map((_, at) => at + 1));
      expect(new Set(found.map(({ id }) => id))).toEqual(new Set(promised.map(({ record }) => record.id)));
      for (const { id, version_number, confluent_id, guid, description } of found) {
        const promise = promises.records.get(id)!;
        expect({ version_number, confluent_id, guid }).toEqual({
          version_number: promise.record.version_number,
          confluent_id: promise.record.confluent_id,
          guid: promise.record.guid,
        });
        expect(description).toBe(promise.description);
      }
      const live = await liveNumbers(url, subject);
      expect(live).toEqual(
        promised
          .filter(({ deleted }) => !deleted)
          .map(({ record }) => record.version_number)
          .toSorted((a, b) => a! - b!),
      );
    }
    for (const { record, field } of [...promises.records.values()].slice(-100)) {
      const { body } = await sendUntilAnswered(url, "GET", `/schemas/${record.id}?deleted=true`);
      expect(fieldOf((body as { content: Avro }).content)).toBe(field);
    }
  }
});

type Avro = { type: "record"; name: string; fields: { name: string; type: string }[] };

function avro(field: string): Avro {
  return { type: "record", name: "Row", fields: [{ name: field, type: "string" }] };
}

function fieldOf(schema: Avro): string {
  return schema.fields[0]!.name;
}

async function repeat(url: string, { method, path, body, key }: Write): Promise<Outcome> {
  return sendUntilAnswered(url, method, path, body, key);
}

async function liveNumbers(url: string, subject: string): Promise<number[]> {
  const { status, body } = await sendUntilAnswered(url, "GET", `/subjects/${subject}`);
  expect(status).toBe(200);
  const live = (body as { versions: number }).versions;
  const numbers = (await recordsOf(url, subject))
    .filter(({ deleted }) => !deleted)
    .map(({ version_number }) => version_number!);
  expect(numbers).toHaveLength(live);
  return numbers;
}
