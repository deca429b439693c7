/** Registrations through both APIs, activation and undelete: everything that adds a live version to a subject. */
import { expect } from "vitest";
import type { ErrorName } from "../../contract/errors.ts";
import { type Policy, SCHEMA_TYPES, storedText } from "./contents.ts";
import {
  type Candidate,
  isIncompatible,
  type Numbering,
  type Prediction,
  predictNumbering,
  predictRegistration,
  type Registration,
} from "./predict-register.ts";
import {
  identity,
  LARGEST,
  type Level,
  live,
  type ModelRecord,
  print,
  type RegistryState,
  scopeKey,
} from "./registry-state.ts";
import type { Answer, World } from "./world.ts";

/** Allocation continues after imported ids up to this one; larger ones are only avoided. */
export const COUNTED_IDS: number = 2 ** 30;

export type Registering = Registration & {
  level: Level | null;
  keyed: boolean;
  /** The reason for overriding protections and freezes. */
  override?: string;
};

export async function register(state: RegistryState, world: World, asked: Registering): Promise<void> {
  const expected = predictRegistration(state, asked);
  const answer = asked.api === "confluent" ? await registerConfluent(world, asked) : await registerNative(world, asked);
  if (expected.type === "refused") return world.expectRefusal(asked.api, answer, ...expected.errors);
  if (expected.type === "known") {
    expectRegistered(world, asked, answer, 200, { ...expected.record });
    expect(answer.wrote, "A known content was written").toBe(false);
    return;
  }
  expect(answer.wrote, "A new version was not written").toBe(true);
  if (expected.type === "undeleted") {
    expected.record.deleted = false;
    return expectRegistered(world, asked, answer, 200, expected.record);
  }
  const record = addPredicted(state, asked, expected, answer);
  expectRegistered(world, asked, answer, asked.api === "confluent" ? 200 : 201, record);
  await learnId(state, world, record, answer);
}

/** Adds a version or draft to the state; the response provides what no rule determines. */
export function addPredicted(
  state: RegistryState,
  asked: Registering,
  expected: Prediction & { type: "draft" | "created" },
  answer: Pick<Answer, "body">,
): ModelRecord {
  const isNew = state.subject(expected.candidate.name) === undefined;
  const record = addRecord(state, expected.candidate, asked.api === "native" ? "semantic" : "strict");
  if (expected.type === "created") number(state, record, expected.numbering, answer, asked.id !== null);
  if (isNew && asked.api === "native" && asked.level !== null) {
    const key = scopeKey(record.name);
    state.configs.set(key, { ...state.configs.get(key), level: asked.level });
  }
  return record;
}

function registerConfluent(world: World, asked: Registering) {
  return world.write("POST", confluentRegistrationPath(asked), confluentBody(asked), asked);
}

export function confluentRegistrationPath({ name, normalise }: Registering): string {
  return `/subjects/${encodeURIComponent(print(name))}/versions${normalise ? "?normalize=true" : ""}`;
}

/** A registration in the Confluent API's form. */
export function confluentBody({ content, spelling, reference, metadata, id, number: version }: Registering): object {
  return {
    schema: content.spellings[spelling]!.text,
    schemaType: SCHEMA_TYPES[content.format],
    ...(reference === null ? {} : { references: [reference] }),
    ...(metadata === null ? {} : { metadata }),
    ...(id === null ? {} : { id }),
    ...(version === null ? {} : { version }),
  };
}

function registerNative(world: World, asked: Registering) {
  return world.write("POST", "/api/v1/schemas", nativeBody(asked), asked);
}

/** A registration in the native API's form. */
export function nativeBody(asked: Registering): object {
  const { content, spelling, reference, metadata, draft, dialect, level } = asked;
  const { text } = content.spellings[spelling]!;
  return {
    subject: print(asked.name),
    format: content.format,
    content: content.format === "protobuf" ? text : JSON.parse(text),
    ...(reference === null
      ? {}
      : { references: [{ ...reference, version: reference.version === -1 ? "latest" : reference.version }] }),
    ...(metadata === null ? {} : { contract: { metadata } }),
    ...(draft ? { state: "draft" } : {}),
    ...(dialect === null ? {} : { dialect }),
    ...(level === null ? {} : { compatibility_level: level }),
  };
}

function addRecord(state: RegistryState, candidate: Candidate, policy: Policy): ModelRecord {
  const { name } = candidate;
  const record: ModelRecord = {
    ...candidate,
    id: "",
    number: null,
    confluentId: null,
    state: "draft",
    deleted: false,
    description: null,
  };
  const subject = state.subject(name) ?? { ...name, policy, lastNumber: 0, records: [] };
  state.subjects.set(print(name), subject);
  subject.records.push(record);
  return record;
}

/**
 * Assigns a record's number and id. Values that no rule determines are taken from the response, if no content has had
 * them.
 */
function number(
  state: RegistryState,
  record: ModelRecord,
  numbering: Numbering,
  { body }: Pick<Answer, "body">,
  isImport: boolean,
): void {
  const { context } = record.name;
  const subject = state.subject(record.name)!;
  state.remove(numbering.replaced);
  record.number = numbering.number;
  record.state = "active";
  subject.lastNumber = Math.max(subject.lastNumber, numbering.number);
  state.contexts.add(context);
  const given = state.given(context);
  const answered = body as { id?: unknown; confluent_id?: unknown };
  const id =
    numbering.confluentId ?? ((typeof answered.id === "number" ? answered.id : answered.confluent_id) as number);
  if (numbering.confluentId === null) {
    expect(given.get(id) ?? identity(record), `The id ${id} was given to other content before`).toBe(identity(record));
    expect(id).toBeGreaterThanOrEqual(1);
    expect(id).toBeLessThanOrEqual(LARGEST);
    const highest = Math.max(0, ...given.keys());
    if (highest < COUNTED_IDS) expect(id, "The next id is one more than any before").toBe(highest + 1);
  }
  given.set(id, identity(record));
  record.confluentId = id;
  if (!isImport) expect(subject.records.filter((other) => other.number === record.number)).toHaveLength(1);
}

function expectRegistered(
  world: World,
  { api }: Registering,
  answer: Answer,
  status: number,
  record: ModelRecord,
): void {
  const fields = api === "confluent" ? { id: record.confluentId, version: record.number } : nativeView(record);
  world.expectOk(answer, status, fields);
}

/** The native API's record, as far as the model predicts it. */
export function nativeView(record: ModelRecord): object {
  const text = storedText(record.content, record.canonical);
  return {
    ...(record.id === "" ? {} : { id: record.id }),
    subject: record.name.subject,
    context: record.name.context,
    version_number: record.number,
    confluent_id: record.confluentId,
    state: record.state,
    format: record.content.format,
    description: record.description,
    references: record.references,
    ...(record.dialect === null ? {} : { dialect: record.dialect }),
    ...(text === undefined ? {} : { content: JSON.parse(text) }),
  };
}

async function learnId(state: RegistryState, world: World, record: ModelRecord, { body }: Answer): Promise<void> {
  const answered = body as { id: string | number };
  if (typeof answered.id === "string") record.id = answered.id;
  else {
    const path = `/api/v1/subjects/${encodeURIComponent(record.name.subject)}/versions/${record.number}?context=${encodeURIComponent(record.name.context)}`;
    const read = await world.read(state.resolve(record.name).subject === record.name.subject ? path : listPath);
    const found = read.body as {
      id?: string;
      items?: { id: string; subject: string; context: string; version_number: number }[];
    };
    record.id =
      found.id ??
      found.items?.find(
        (item) =>
          item.subject === record.name.subject &&
          item.context === record.name.context &&
          item.version_number === record.number,
      )?.id ??
      "";
    expect(record.id, "A registered version cannot be read").not.toBe("");
  }
}

const listPath = "/api/v1/schemas?limit=1000&deleted=true&content=none";

/** Activates a draft, with a registration's checks of mode, references and compatibility. */
export async function activate(state: RegistryState, world: World, record: ModelRecord): Promise<void> {
  const answer = await world.write("PATCH", `/api/v1/schemas/${record.id}`, { state: "active" });
  const errors = applyActivation(state, record, answer);
  if (errors) return world.expectRefusal("native", answer, ...errors);
  world.expectOk(answer, 200, nativeView(record));
}

/** Numbers a draft, or returns the expected refusal. */
export function applyActivation(
  state: RegistryState,
  record: ModelRecord,
  answer: Pick<Answer, "body">,
): readonly ErrorName[] | undefined {
  if (record.deleted) return ["SCHEMA_NOT_FOUND"];
  // An import brings its id; an activation cannot.
  if (state.isReadOnly(record.name) || state.isImporting(record.name)) return ["OPERATION_NOT_PERMITTED"];
  if (hasLiveTwin(state, record, "equivalent") || hasLostReference(state, record)) return ["CONFLICT"];
  const expected = predictNumbering(state, record);
  if (expected.type === "refused") return expected.errors;
  if (expected.type === "created") number(state, record, expected.numbering, answer, false);
  return undefined;
}

export async function undelete(state: RegistryState, world: World, record: ModelRecord, keyed: boolean): Promise<void> {
  const answer = await world.write("POST", `/api/v1/schemas/${record.id}/undelete`, undefined, { keyed });
  const errors = applyUndelete(state, record);
  if (errors) return world.expectRefusal("native", answer, ...errors);
  world.expectOk(answer, 200, nativeView(record));
}

/** Undeletes a record, or returns the expected refusal. */
export function applyUndelete(state: RegistryState, record: ModelRecord): readonly ErrorName[] | undefined {
  if (!record.deleted) return ["CONFLICT"];
  if (state.isReadOnly(record.name)) return ["OPERATION_NOT_PERMITTED"];
  if (record.number !== null) {
    if (hasLiveTwin(state, record, "same") || hasLostReference(state, record)) return ["CONFLICT"];
    if (!state.isImporting(record.name) && isIncompatible(state, state.subject(record.name), record)) {
      return ["INCOMPATIBLE_SCHEMA"];
    }
  }
  record.deleted = false;
  return undefined;
}

function hasLiveTwin(state: RegistryState, record: ModelRecord, sameness: "same" | "equivalent"): boolean {
  return live(state.subject(record.name)).some((other) => {
    if (other === record || other.dialect !== record.dialect) return false;
    if (identity(other) === identity(record)) return true;
    if (sameness === "same") return false;
    return (
      other.content === record.content &&
      JSON.stringify([other.references, other.metadata]) === JSON.stringify([record.references, record.metadata])
    );
  });
}

function hasLostReference(state: RegistryState, { targets }: ModelRecord): boolean {
  return targets.some(({ number: wanted, ...name }) =>
    live(state.subject(name)).every(({ number: present }) => present !== wanted),
  );
}
