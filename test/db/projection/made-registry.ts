/**
 * A registry made of plain maps, for tests of log followers: every command writes the log entry that the primary would
 * write and, independently of that entry, the expected state.
 */
import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import type { EntryType, LogEntry } from "../../../registry/log-entry.ts";
import { GENESIS_HASH, headerBytes, leafHash, payloadDigest, toHex } from "../../../registry/log-entry.ts";
import type { Payloads } from "../../../registry/payloads.ts";
import type { ScopeState } from "../../../registry/questions.ts";
import type { Attributes, LifecycleState, SchemaRecord, StoredContent } from "../../../registry/record.ts";
import { ok } from "../../../schema/result.ts";
import { printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import type { Bindings } from "../../../workers/edge.ts";

export type MadeRecord = SchemaRecord & { recordKey: number; subjectKey: number; fieldNames: readonly string[] };
export type MadeSubject = SubjectName & { subjectKey: number; defaultPolicy: string; lastNumber: number };

const EMPTY: Attributes = { description: null, tags: [], owner: null, metadata: {}, role: null };
const STARTED_MS = 1_764_000_000_000;
const LARGE_DEFLATED_BYTES = 4_096;

export class MadeRegistry {
  readonly entries: LogEntry[] = [];
  readonly records = new Map<number, MadeRecord>();
  readonly subjects = new Map<number, MadeSubject>();
  readonly scopes = new Map<string, ScopeState>();
  readonly texts = new Map<string, string>();
  /** Entries about a record, whose payloads are erased with it. */
  readonly #about = new Map<number, number[]>();
  #leaf = GENESIS_HASH;
  #nextConfluentId = 1;

  readonly tenant: string;

  constructor(tenant: string) {
    this.tenant = tenant;
  }

  get seq(): number {
    return this.entries.length;
  }

  /** An Avro record with these fields; returns the record's key. */
  register(
    name: SubjectName,
    fieldNames: readonly string[],
    {
      attributes = null,
      draft = false,
      text = avroText(fieldNames),
      references = [],
    }: {
      attributes?: Attributes | null;
      draft?: boolean;
      text?: string;
      references?: SchemaRecord["references"];
    } = {},
  ): number {
    const key = this.seq + 1;
    const known = [...this.subjects.values()].find((own) => printSubjectName(own) === printSubjectName(name));
    const subject = known ?? { ...name, subjectKey: key, defaultPolicy: "semantic", lastNumber: 0 };
    this.subjects.set(subject.subjectKey, subject);
    const hash = createHash("sha256").update(text).update(JSON.stringify(references)).digest("hex");
    const guid = uuid(hash);
    const id = uuid(createHash("sha256").update(`${this.tenant} ${key}`).digest("hex"));
    this.texts.set(hash, text);
    const numbering = draft ? null : this.#numbering(subject);
    const content = {
      key,
      hash,
      guid,
      format: "avro" as const,
      dialect: null,
      references,
      contract: { metadata: null, ruleSet: null },
      equivalenceHash: hash,
    };
    const at = this.#append("schema.registered", printSubjectName(name), {
      v: 1,
      subject: { key: subject.subjectKey, ...name, defaultPolicy: "semantic" },
      id,
      content,
      targets: [],
      attributes,
      numbering,
    });
    this.#about.set(key, [key]);
    this.records.set(key, {
      recordKey: key,
      subjectKey: subject.subjectKey,
      fieldNames,
      id,
      ...name,
      versionNumber: numbering?.number ?? null,
      semver: numbering?.label ?? null,
      confluentId: numbering?.confluentId ?? null,
      state: draft ? "draft" : "active",
      deleted: false,
      format: "avro",
      dialect: null,
      contentHash: hash,
      guid,
      references,
      contract: content.contract,
      attributes: attributes ?? EMPTY,
      createdAtMs: at,
      createdBy: "tester",
      updatedAtMs: at,
      seq: key,
    });
    return key;
  }

  activate(key: number): void {
    const record = this.records.get(key)!;
    const numbering = record.versionNumber === null ? this.#numbering(this.subjects.get(record.subjectKey)!) : null;
    this.#change(
      key,
      "schema.activated",
      { v: 1, recordKey: key, numbering, reason: null },
      {
        state: "active",
        ...(numbering && {
          versionNumber: numbering.number,
          semver: numbering.label,
          confluentId: numbering.confluentId,
        }),
      },
    );
  }

  describe(key: number, attributes: Attributes): void {
    this.#about.get(key)!.push(this.seq + 1);
    this.#change(key, "schema.updated", { v: 1, recordKey: key, attributes }, { attributes });
  }

  move(key: number, state: Extract<LifecycleState, "deprecated" | "archived">): void {
    this.#change(key, `schema.${state}`, { v: 1, recordKey: key, reason: null }, { state });
  }

  setDeleted(keys: readonly number[], deleted: boolean): void {
    const subject = printSubjectName(this.records.get(keys[0]!)!);
    const at = this.#append(deleted ? "schema.deleted" : "schema.undeleted", subject, { v: 1, recordKeys: keys });
    for (const key of keys) this.#update(key, { deleted }, at);
  }

  /** Hard-deletes records of one subject. */
  erase(keys: readonly number[]): void {
    const { subjectKey } = this.records.get(keys[0]!)!;
    const subject = this.subjects.get(subjectKey)!;
    const left = [...this.records.values()].filter(
      (record) => record.subjectKey === subjectKey && !keys.includes(record.recordKey),
    );
    const gone = left.length === 0;
    for (const key of keys) {
      const hash = this.records.get(key)!.contentHash;
      for (const seq of this.#about.get(key)!) this.entries[seq - 1] = { ...this.entries[seq - 1]!, payload: null };
      this.records.delete(key);
      if (![...this.records.values()].some((record) => record.contentHash === hash)) this.texts.delete(hash);
    }
    this.#append("schema.erased", printSubjectName(subject), {
      v: 1,
      recordKeys: keys,
      subjects: [
        {
          key: subjectKey,
          context: subject.context,
          subject: subject.subject,
          gone,
          lastNumber: subject.lastNumber,
          lastLabel: null,
        },
      ],
      contexts: [],
    });
    if (!gone) return;
    this.subjects.delete(subjectKey);
    this.scopes.delete(scopeKey(subject));
  }

  configure(scope: SubjectName, config: object | null): void {
    this.#append("config.changed", printSubjectName(scope), { v: 1, ...scope, config: config as never });
    this.#setScope(scope, { config });
  }

  setModes(scopes: readonly (SubjectName & { mode: "READONLY" | null })[]): void {
    this.#append("mode.changed", null, { v: 1, scopes });
    for (const { mode, ...scope } of scopes) this.#setScope(scope, { mode });
  }

  deleteContext(context: string): void {
    this.#append("context.deleted", null, { v: 1, context });
    for (const [key, scope] of this.scopes) if (scope.context === context) this.scopes.delete(key);
  }

  /** An entry type of a future build. */
  appendUnknown(): void {
    this.#append("something.new" as never, null, { v: 1 } as never);
  }

  latestOf(subjectKey: number): number | null {
    const live = [...this.records.values()]
      .filter((record) => record.subjectKey === subjectKey && record.versionNumber !== null && !record.deleted)
      .sort((a, b) => b.versionNumber! - a.versionNumber!);
    const latest = live.find(({ state }) => state === "active") ?? live.find(({ state }) => state === "deprecated");
    return latest?.recordKey ?? null;
  }

  /** The consumer's dependencies: this registry as the tenant's primary, and R2 with its large texts. */
  bindings(access: { DATABASE_URL?: string; DATABASE_PROXY?: string }): Bindings {
    const follower = { getByName: () => ({ nudge: async () => undefined }) };
    return {
      ...access,
      PRIMARIES: { getByName: () => this.#primary() },
      DIRECTORY: { getByName: () => ({ ask: async () => ok([{ name: "default", state: "active" }]) }) },
      FEEDS: follower,
      WEBHOOKS: follower,
      TEXTS: {
        get: async (key: string) => {
          const text = this.texts.get(key.slice(key.lastIndexOf("/") + 1));
          if (text === undefined) return null;
          const bytes = deflateRawSync(text);
          return { arrayBuffer: async () => Uint8Array.from(bytes).buffer };
        },
      },
    } as unknown as Bindings;
  }

  #primary() {
    const asOf = () => ({ epoch: 1, seq: this.seq, lastHardDelete: 0 });
    const readLog = async ({ after, limit }: { after: number; limit: number }) => ({
      entries: this.entries.slice(after, after + limit),
      asOf: asOf(),
    });
    const read = async ({ name, args }: { name: string; args: never }) =>
      ok({ asOf: asOf(), value: this.#answer(name, args) });
    return { readLog, read };
  }

  #answer(name: string, args: Record<string, unknown>): unknown {
    const page = <T>(rows: readonly T[], contentKey: (row: T) => number) => {
      const sorted = rows.toSorted((a, b) => contentKey(a) - contentKey(b));
      if ("keys" in args)
        return { rows: sorted.filter((row) => (args.keys as number[]).includes(contentKey(row))), more: false };
      const after = sorted.filter((row) => contentKey(row) > (args.after as number));
      return { rows: after.slice(0, args.limit as number), more: after.length > (args.limit as number) };
    };
    switch (name) {
      case "head":
        return null;
      case "contents":
        return (args.contentHashes as string[]).map((hash) => this.#stored(hash));
      // The generated texts do not use the references they name.
      case "closures":
        return (args.of as { contentHash: string }[]).map(({ contentHash }) =>
          this.texts.has(contentHash)
            ? { root: contentHash, hash: contentHash, nodes: [{ contentHash, references: [] }] }
            : null,
        );
      case "copyRecords": {
        const { rows, more } = page([...this.records.values()], ({ recordKey }) => recordKey);
        return { records: rows, more };
      }
      case "copySubjects": {
        const { rows, more } = page([...this.subjects.values()], ({ subjectKey }) => subjectKey);
        const subjects = rows.map((row) => ({ ...row, latestKey: this.latestOf(row.subjectKey) }));
        return { subjects, more };
      }
      case "copyScopes":
        return { scopes: [...this.scopes.values()].sort((a, b) => (scopeKey(a) < scopeKey(b) ? -1 : 1)), more: false };
      default:
        throw new Error(`The test's primary does not answer "${name}".`);
    }
  }

  #stored(hash: string): StoredContent | null {
    const text = this.texts.get(hash);
    if (text === undefined) return null;
    const deflated = deflateRawSync(text);
    return {
      contentHash: hash,
      guid: uuid(hash),
      format: "avro",
      dialect: null,
      references: [],
      contract: { metadata: null, ruleSet: null },
      deflated: deflated.byteLength > LARGE_DEFLATED_BYTES ? null : deflated,
      textBytes: Buffer.byteLength(text),
    };
  }

  #numbering(subject: MadeSubject) {
    subject.lastNumber += 1;
    const confluentId = this.#nextConfluentId++;
    const number = subject.lastNumber;
    return { number, label: `${number}.0.0`, confluentId, nextConfluentId: this.#nextConfluentId };
  }

  #change<T extends keyof Payloads>(key: number, type: T, payload: Payloads[T], changes: Partial<MadeRecord>): void {
    this.#update(key, changes, this.#append(type, printSubjectName(this.records.get(key)!), payload));
  }

  #update(key: number, changes: Partial<MadeRecord>, at: number): void {
    this.records.set(key, { ...this.records.get(key)!, ...changes, updatedAtMs: at, seq: this.seq });
  }

  #setScope(name: SubjectName, changes: Partial<ScopeState>): void {
    const { context, subject } = name;
    const known = this.scopes.get(scopeKey(name));
    const scope = { context, subject, config: null, mode: null, rules: null, associations: null, ...known, ...changes };
    if (scope.config === null && scope.mode === null) this.scopes.delete(scopeKey(name));
    else this.scopes.set(scopeKey(name), scope);
  }

  #append<T extends keyof Payloads>(type: T, subject: string | null, payload: Payloads[T]): number {
    const seq = this.seq + 1;
    const at = STARTED_MS + seq * 1_000;
    const bytes = new TextEncoder().encode(JSON.stringify(payload));
    const salt = new Uint8Array(16);
    const header = headerBytes({
      v: 1,
      epoch: 1,
      seq,
      at,
      type: type as EntryType,
      tenant: this.tenant,
      actor: "tester",
      request_id: `request-${seq}`,
      subject,
      payload_digest: payloadDigest(salt, bytes),
      prev_hash: this.#leaf,
    });
    const leaf = leafHash(header);
    this.#leaf = toHex(leaf);
    this.entries.push({ seq, header, leafHash: leaf, payload: { salt, bytes } });
    return at;
  }
}

export function avroText(fieldNames: readonly string[]): string {
  return JSON.stringify({
    type: "record",
    name: "Made",
    fields: fieldNames.map((name) => ({ name, type: "string", doc: `What ${name} says.` })),
  });
}

function scopeKey({ context, subject }: SubjectName): string {
  return `${context}\u0001${subject}`;
}

function uuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
