/** Records what a registry has acknowledged, and verifies it later: an oracle for tests that kill it. */
import { expect } from "vitest";
import { logOf, type RecordView, recordsOf, sendTo, sendToUntilAnswered, sendUntilAnswered } from "./native-client.ts";

type Avro = { type: "record"; name: string; fields: { name: string; type: string }[] };

/** A write as it is sent and repeated: the key makes both one write. */
export type Write = { method: string; path: string; body?: unknown; key: string } & (
  | { changes: "register"; subject: string; field: string }
  /** A change set that registers these fields, each in its subject. */
  | { changes: "changeSet"; registers: readonly { subject: string; field: string }[] }
  | { changes: "proposal" }
  | { changes: "description"; id: string; description: string }
  | { changes: "softDelete" | "hardDelete" | "undelete"; id: string }
  | { changes: "level" | "mode"; subject: string; to: string | null }
);
export type Outcome = { status: number; body: unknown; seq: number | null };

type Promised = {
  record: RecordView;
  field: string;
  description: string | null;
  state: "live" | "soft-deleted" | "hard-deleted";
};
type Setting = { changes: "level" | "mode"; subject: string; to: string | null };

/** The value of an unset setting. */
export const DEFAULTS = { level: "NONE", mode: "READWRITE" } as const;

export function avro(field: string): Avro {
  return { type: "record", name: "Row", fields: [{ name: field, type: "string" }] };
}

export function sendWrite(url: string, { method, path, body, key }: Write) {
  return sendTo(url + path, method, body, key);
}

export function repeatWrite(url: string, { method, path, body, key }: Write): Promise<Outcome> {
  return sendToUntilAnswered(url + path, method, body, key);
}

export class Acknowledged {
  /** Every executed write, in the order of its response. */
  readonly done: { write: Write; outcome: Outcome }[] = [];
  readonly records = new Map<string, Promised>();
  /** Refusals by status: they guarantee that nothing has changed. */
  readonly refusals = new Map<number, number>();
  readonly #settings = new Map<string, Setting>();
  /** The write of each log entry. */
  readonly #entries = new Map<number, Write>();
  #touched = new Set<string>();
  #checkedSeq: number;

  /** For a registry whose log ends here. */
  constructor(firstSeq: number) {
    this.#checkedSeq = firstSeq;
  }

  /** Records a response; a refusal that was sent while something was interrupted counts as well. */
  take(write: Write, outcome: Outcome): void {
    if ("id" in write) this.#touched.add(`/schemas/${write.id}`);
    else if ("to" in write) this.#touched.add(`${write.changes} ${write.subject}`);
    if (outcome.status >= 300) {
      expect(outcome.status, JSON.stringify(outcome.body)).toBeLessThan(500);
      this.refusals.set(outcome.status, (this.refusals.get(outcome.status) ?? 0) + 1);
      return;
    }
    const { seq } = outcome;
    for (let entry = seq! - entriesOf(write) + 1; entry <= seq!; entry += 1) {
      expect(this.#entries.get(entry), `entry ${entry} is that of another write`).toBeUndefined();
      this.#entries.set(entry, write);
    }
    this.done.push({ write, outcome });
    this.#apply(write, outcome);
  }

  #apply(write: Write, { body }: Outcome): void {
    if (write.changes === "register") {
      this.#promise(body as RecordView, write.field);
      return;
    }
    if (write.changes === "changeSet") {
      const { changes } = body as { changes: RecordView[] };
      for (const [index, { field }] of write.registers.entries()) this.#promise(changes[index]!, field);
      return;
    }
    if (write.changes === "proposal") return;
    if (!("id" in write)) {
      this.#settings.set(`${write.changes} ${write.subject}`, write);
      return;
    }
    const promised = this.records.get(write.id)!;
    if (write.changes === "description") promised.description = write.description;
    else
      promised.state = ({ softDelete: "soft-deleted", hardDelete: "hard-deleted", undelete: "live" } as const)[
        write.changes
      ];
  }

  #promise(record: RecordView, field: string): void {
    this.#touched.add(`/schemas/${record.id}`);
    this.records.set(record.id, { record, field, description: null, state: "live" });
  }

  /** Whether a repeat must get the same response: hard-deleted data cannot be shown again. */
  isRepeatable({ write, outcome }: { write: Write; outcome: Outcome }): boolean {
    const id = write.changes === "register" ? (outcome.body as RecordView).id : "id" in write ? write.id : undefined;
    return id === undefined || this.records.get(id)?.state !== "hard-deleted";
  }

  /** The log has grown by one entry per acknowledged write and by none per refused one. */
  async expectEntries(url: string): Promise<void> {
    const entries = await logOf(url, this.#checkedSeq);
    const acknowledged = [...this.#entries.keys()].filter((seq) => seq > this.#checkedSeq).toSorted((a, b) => a - b);
    expect(entries.map(({ seq }) => seq)).toEqual(acknowledged);
    this.#checkedSeq = entries.at(-1)?.seq ?? this.#checkedSeq;
  }

  /** Verifies everything acknowledged or refused since the last check. */
  async expectTouched(url: string, most: number): Promise<void> {
    const touched = [...this.#touched].slice(-most);
    this.#touched = new Set();
    for (const what of touched) {
      const promised = this.records.get(what.slice("/schemas/".length));
      if (promised) await expectRecord(url, promised);
      else if (/^(level|mode) /.test(what)) await this.#expectSetting(url, what);
    }
  }

  /** Verifies everything, subject by subject. */
  async expectAll(url: string): Promise<void> {
    const subjects = new Set([...this.records.values()].map(({ record }) => record.subject));
    for (const subject of subjects) {
      const promised = [...this.records.values()].filter(({ record }) => record.subject === subject);
      const kept = promised.filter(({ state }) => state !== "hard-deleted");
      const given = new Set(numbersOf(promised));
      expect(given, `the numbers of ${subject}`).toEqual(new Set(Array.from(given, (_, at) => at + 1)));
      // A subject that has lost every version starts over, so only existing versions have numbers.
      expect(new Set(numbersOf(kept)).size, `the numbers of ${subject}`).toBe(kept.length);
      const found = kept.length === 0 ? [] : await recordsOf(url, subject);
      expect(new Set(found.map(({ id }) => id))).toEqual(new Set(kept.map(({ record }) => record.id)));
      for (const view of found) expectView(view, this.records.get(view.id)!);
    }
    for (const what of this.#settings.keys()) await this.#expectSetting(url, what);
  }

  async #expectSetting(url: string, what: string): Promise<void> {
    const [changes, subject] = what.split(" ") as [Setting["changes"], string];
    const expected = this.#settings.get(what)?.to ?? DEFAULTS[changes];
    if (changes === "level") {
      const { body } = await sendUntilAnswered(url, "GET", `/subjects/${subject}/compatibility`);
      expect((body as { level: string }).level, what).toBe(expected);
      return;
    }
    const { body } = await sendToUntilAnswered(`${url}/mode/${subject}?defaultToGlobal=true`, "GET");
    expect((body as { mode: string }).mode, what).toBe(expected);
  }
}

/** A change set has an entry for each change, and one for itself. */
function entriesOf(write: Write): number {
  return write.changes === "changeSet" ? write.registers.length + 1 : 1;
}

function numbersOf(promised: readonly Promised[]): number[] {
  return promised.map(({ record }) => record.version_number!);
}

async function expectRecord(url: string, promised: Promised): Promise<void> {
  const { status, body } = await sendUntilAnswered(url, "GET", `/schemas/${promised.record.id}?deleted=true`);
  expect(status, promised.record.id).toBe(promised.state === "hard-deleted" ? 404 : 200);
  if (status !== 200) return;
  const view = body as RecordView;
  expectView(view, promised);
  expect((view.content as Avro).fields[0]!.name).toBe(promised.field);
}

function expectView(view: RecordView, { record, description, state }: Promised): void {
  const { version_number, confluent_id, guid } = record;
  // The outcome of a change set has no guid.
  expect(view).toMatchObject({ version_number, confluent_id, description, ...(guid === undefined ? {} : { guid }) });
  expect(view.deleted === true, `${record.id} is deleted`).toBe(state === "soft-deleted");
}
