/**
 * The model's state of a registry: subjects with their records, scopes with their settings, and every id ever assigned.
 */
import type { Content, Dialect, Meaning, Policy } from "./contents.ts";

export type Level =
  | "NONE"
  | "BACKWARD"
  | "BACKWARD_TRANSITIVE"
  | "FORWARD"
  | "FORWARD_TRANSITIVE"
  | "FULL"
  | "FULL_TRANSITIVE";
export type Mode = "READWRITE" | "READONLY" | "READONLY_OVERRIDE" | "IMPORT";
export type Lifecycle = "draft" | "active" | "deprecated" | "archived";
export type Name = { context: string; subject: string };
export type Reference = { name: string; subject: string; version: number };
export type Metadata = { properties?: Record<string, string> };

export type Target = Name & { number: number };

export type ModelRecord = Meaning & {
  id: string;
  name: Name;
  content: Content;
  /** The stored text, or for Protobuf its placeholder. */
  canonical: string;
  references: readonly Reference[];
  targets: readonly Target[];
  metadata: Metadata | null;
  dialect: Dialect | null;
  /** The text with references inlined. */
  inlined: string;
  number: number | null;
  confluentId: number | null;
  state: Lifecycle;
  deleted: boolean;
  description: string | null;
};

export type ModelSubject = Name & { policy: Policy; lastNumber: number; records: ModelRecord[] };
export type Config = { level?: Level; alias?: string };

export const DEFAULT: string = ".";
export const GLOBAL: Name = { context: ".__GLOBAL", subject: "" };
/** The largest number on the wire: ids and versions are signed 32-bit integers. */
export const LARGEST = 2_147_483_647;

export function print({ context, subject }: Name): string {
  return context === DEFAULT ? subject : `:${context}:${subject}`;
}

export class RegistryState {
  readonly subjects = new Map<string, ModelSubject>();
  readonly configs = new Map<string, Config>();
  readonly modes = new Map<string, Mode>();
  /** Scopes whose rule book allows every difference; the tenant's is that of the global context. */
  readonly allowing = new Set<string>();
  readonly contexts = new Set<string>();
  /** Every id ever assigned in a context, and its text. */
  readonly givenIds = new Map<string, Map<number, string>>();
  /** The texts of Protobuf schemas as first read. */
  readonly protobufTexts = new Map<string, string>();

  subject(name: Name): ModelSubject | undefined {
    return this.subjects.get(print(name));
  }

  /** Of every subject, in arbitrary order. */
  records(): ModelRecord[] {
    return [...this.subjects.values()].flatMap(({ records }) => records);
  }

  resolve(name: Name): Name {
    const alias = this.configs.get(print(name))?.alias;
    return alias === undefined ? name : { context: name.context, subject: alias };
  }

  /** The contexts that a read searches: for a name in the default context, also the others. */
  namesakes(name: Name): Name[] {
    const own = this.resolve(name);
    if (own.context !== DEFAULT) return [own];
    const others = [...this.contexts].filter((context) => context !== DEFAULT).sort();
    return [own, ...others.map((context) => ({ context, subject: own.subject }))];
  }

  /** The first scope with settings provides all of them. */
  level(name: Name): Level {
    for (const scope of [name, { ...name, subject: "" }, GLOBAL]) {
      const config = this.configs.get(scopeKey(scope));
      if (config) return config.level ?? "BACKWARD";
    }
    return "BACKWARD";
  }

  mode(name: Name): Mode {
    for (const scope of [name, { ...name, subject: "" }, GLOBAL]) {
      const mode = this.modes.get(scopeKey(scope));
      if (mode) return mode;
    }
    return "READWRITE";
  }

  isReadOnly(name: Name): boolean {
    return this.mode(name).startsWith("READONLY");
  }

  isImporting(name: Name): boolean {
    return this.mode(name) === "IMPORT";
  }

  allowsEverything(name: Name): boolean {
    return this.allowing.has(scopeKey(name)) || this.allowing.has(scopeKey(GLOBAL));
  }

  /** The referrers of a version, including drafts and soft-deleted ones. */
  referrers({ context, subject }: Name, number: number): ModelRecord[] {
    return this.records().filter(({ targets }) =>
      targets.some((target) => target.context === context && target.subject === subject && target.number === number),
    );
  }

  /** Currently used ids with their texts. */
  ids(context: string): Map<number, ModelRecord> {
    const ids = new Map<number, ModelRecord>();
    for (const record of this.records()) {
      if (record.name.context === context && record.confluentId !== null) ids.set(record.confluentId, record);
    }
    return ids;
  }

  given(context: string): Map<number, string> {
    const given = this.givenIds.get(context) ?? new Map<number, string>();
    this.givenIds.set(context, given);
    return given;
  }

  /** Returns a function that restores the current state; records keep their identity. */
  snapshot(): () => void {
    const subjects = [...this.subjects].map(([key, subject]) => {
      const records = subject.records.map((record) => ({ record, copy: { ...record } }));
      return { key, subject, records, copy: { ...subject } };
    });
    const maps = [this.configs, this.modes, this.protobufTexts].map((map) => restorer<unknown>(map));
    const sets = [this.allowing, this.contexts].map((set) => ({ set, copy: [...set] }));
    const given = [...this.givenIds].map(([context, ids]) => [context, new Map(ids)] as const);
    return () => {
      this.subjects.clear();
      for (const { key, subject, records, copy } of subjects) {
        for (const { record, copy: before } of records) Object.assign(record, before);
        this.subjects.set(key, Object.assign(subject, copy, { records: records.map(({ record }) => record) }));
      }
      for (const restore of maps) restore();
      for (const { set, copy } of sets) {
        set.clear();
        for (const member of copy) set.add(member);
      }
      this.givenIds.clear();
      for (const [context, ids] of given) this.givenIds.set(context, new Map(ids));
    };
  }

  /** A subject that has lost its last record loses its settings. */
  remove(gone: readonly ModelRecord[]): void {
    for (const { name } of gone) {
      const subject = this.subject(name);
      if (!subject) continue;
      subject.records = subject.records.filter((record) => !gone.includes(record));
      if (subject.records.length > 0) continue;
      this.subjects.delete(print(name));
      for (const scopes of [this.configs, this.modes, this.allowing]) scopes.delete(scopeKey(name));
    }
  }
}

function restorer<V>(map: Map<string, V>): () => void {
  const copy = [...map];
  return () => {
    map.clear();
    for (const [key, value] of copy) map.set(key, value);
  };
}

/** The default context's own scope would print as an empty string, like the empty subject. */
export function scopeKey(scope: Name): string {
  return scope.subject === "" ? `:${scope.context}:` : print(scope);
}

export function live(subject: ModelSubject | undefined): ModelRecord[] {
  return numbered(subject).filter(({ deleted }) => !deleted);
}

/** Newest first. */
export function numbered(subject: ModelSubject | undefined): ModelRecord[] {
  return (subject?.records ?? []).filter(({ number }) => number !== null).sort((a, b) => b.number! - a.number!);
}

/** The target of `latest`: active before deprecated, archived never. */
export function latest(subject: ModelSubject | undefined): ModelRecord | undefined {
  const candidates = live(subject);
  return candidates.find(({ state }) => state === "active") ?? candidates.find(({ state }) => state === "deprecated");
}

/** The key of ids and numbers: format, text, references and metadata. */
export function identity({
  content,
  canonical,
  references,
  metadata,
}: Pick<ModelRecord, "content" | "canonical" | "references" | "metadata">): string {
  return JSON.stringify([content.format, canonical, references, metadata]);
}
