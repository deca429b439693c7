/**
 * Invariants after any sequence: lists agree with reads, everything listed is readable, and all of it matches the
 * model.
 */
import { expect } from "vitest";
import { confluentPath } from "./change-commands.ts";
import { storedText } from "./contents.ts";
import { nativeView } from "./register-commands.ts";
import {
  DEFAULT,
  GLOBAL,
  identity,
  latest,
  live,
  type ModelRecord,
  type ModelSubject,
  type Name,
  numbered,
  print,
  type RegistryState,
  scopeKey,
} from "./registry-state.ts";
import type { World } from "./world.ts";

/** Uses are listed for the first ids of a context only, because a fault would also show there in another sequence. */
const USES_ASKED = 1;

export async function expectInvariants(state: RegistryState, world: World): Promise<void> {
  await expectSubjects(state, world);
  for (const subject of state.subjects.values()) {
    // A subject hidden by an alias can be reached only by ids.
    if (print(state.resolve(subject)) === print(subject)) await expectVersions(state, world, subject);
  }
  await expectRecords(state, world);
  for (const context of state.contexts) await expectIds(state, world, context);
  await expectScopes(state, world);
  await world.expectReplayEqualsState();
}

async function expectSubjects(state: RegistryState, world: World): Promise<void> {
  const subjects = [...state.subjects.values()];
  const named = (shown: (subject: ModelSubject) => boolean) => new Set(subjects.filter(shown).map(print));
  const all = await world.read("/subjects?deleted=true");
  expect(new Set(all.body as string[]), "All subjects").toEqual(named((subject) => numbered(subject).length > 0));
  const shown = await world.read("/subjects");
  expect(new Set(shown.body as string[]), "Live subjects").toEqual(named((subject) => live(subject).length > 0));
  const contexts = await world.read("/contexts");
  expect(new Set(contexts.body as string[]), "Contexts").toEqual(new Set([DEFAULT, ...state.contexts]));
  const native = await world.read("/api/v1/subjects?deleted=true&limit=1000");
  const summaries = (native.body as { items: { subject: string; context: string; versions: number }[] }).items;
  for (const subject of subjects.filter((candidate) => numbered(candidate).length > 0)) {
    if (print(state.resolve(subject)) !== print(subject)) continue;
    expect(
      summaries.find(({ context, subject: name }) => context === subject.context && name === subject.subject),
      `The summary of ${print(subject)}`,
    ).toMatchObject({
      versions: live(subject).length,
      deleted_versions: numbered(subject).length - live(subject).length,
      drafts: subject.records.filter(({ number, deleted }) => number === null && !deleted).length,
      latest: latest(subject) ? { version_number: latest(subject)!.number } : null,
      level: state.level(subject),
      mode: state.mode(subject),
    });
  }
}

async function expectVersions(state: RegistryState, world: World, subject: ModelSubject): Promise<void> {
  const path = `/subjects/${encodeURIComponent(qualified(subject))}/versions`;
  const numbers = (records: readonly ModelRecord[]) => records.map(({ number }) => number).reverse();
  const [all, shown] = [await world.read(`${path}?deleted=true`), await world.read(path)];
  if (numbered(subject).length > 0)
    expect(all.body, `All versions of ${print(subject)}`).toEqual(numbers(numbered(subject)));
  else world.expectRefusal("confluent", all, "SUBJECT_NOT_FOUND");
  if (live(subject).length > 0) expect(shown.body, `Versions of ${print(subject)}`).toEqual(numbers(live(subject)));
  else world.expectRefusal("confluent", shown, "SUBJECT_NOT_FOUND");
  const newest = await world.read(`${path}/latest`);
  const found = state.namesakes(subject).flatMap((name) => latest(state.subject(name)) ?? [])[0];
  if (found) world.expectOk(newest, 200, { version: found.number, id: found.confluentId });
  else world.expectRefusal("confluent", newest, live(subject).length > 0 ? "VERSION_NOT_FOUND" : "SUBJECT_NOT_FOUND");
  const [newestOfAll] = numbered(subject);
  if (newestOfAll) {
    const read = await world.read(`${path}/${newestOfAll.number}?deleted=true`);
    world.expectOk(read, 200, entityOf(newestOfAll));
    expectText(state, newestOfAll, (read.body as { schema: string }).schema);
  }
  const labels = await world.read(
    `/api/v1/subjects/${encodeURIComponent(subject.subject)}/versions?context=${encodeURIComponent(subject.context)}&deleted=true&limit=1000&content=none`,
  );
  const items = (labels.body as { items?: { version: string; version_number: number }[] }).items ?? [];
  expect(items.map(({ version_number }) => version_number)).toEqual(numbers(numbered(subject)));
  expect(new Set(items.map(({ version }) => version)).size, "A semantic version was given twice").toBe(items.length);
}

function expectText(state: RegistryState, record: ModelRecord, text: string): void {
  const known = storedText(record.content, record.canonical) ?? state.protobufTexts.get(record.canonical);
  if (known === undefined) state.protobufTexts.set(record.canonical, text);
  else expect(text, `The text of ${print(record.name)} ${record.number}`).toBe(known);
}

/** A version in the Confluent API's form. */
function entityOf({ name, number, confluentId, deleted }: ModelRecord): object {
  return { subject: print(name), version: number, id: confluentId, deleted };
}

/** The lists of both APIs contain every record, and everything listed can be read by id. */
async function expectRecords(state: RegistryState, world: World): Promise<void> {
  const records = state.records();
  const list = await world.read("/api/v1/schemas?limit=1000&deleted=true");
  const items = new Map((list.body as { items: { id: string }[] }).items.map((item) => [item.id, item]));
  expect(new Set(items.keys()), "All records").toEqual(new Set(records.map(({ id }) => id)));
  for (const record of records) {
    expect(items.get(record.id)).toMatchObject({ ...nativeView(record), ...(record.deleted ? { deleted: true } : {}) });
  }
  const versions = await world.read("/schemas?deleted=true&subjectPrefix=:*:");
  const entities = versions.body as { subject: string; version: number; schema: string }[];
  const versioned = records.filter(({ number }) => number !== null);
  expect(entities, "All versions").toHaveLength(versioned.length);
  for (const record of versioned) {
    const entity = entities.find(({ subject, version }) => subject === print(record.name) && version === record.number);
    expect(entity, `Version ${record.number} of ${print(record.name)}`).toMatchObject(entityOf(record));
    expectText(state, record, entity!.schema);
  }
  const [first] = records;
  if (!first) return;
  world.expectOk(await world.read(`/api/v1/schemas/${first.id}?deleted=true`), 200, nativeView(first));
  const shown = await world.read(`/api/v1/schemas/${first.id}`);
  if (first.deleted) world.expectRefusal("native", shown, "SCHEMA_NOT_FOUND");
  else world.expectOk(shown, 200, nativeView(first));
}

/** Every id ever assigned is readable with the same text while a version has it, and unknown afterwards. */
async function expectIds(state: RegistryState, world: World, context: string): Promise<void> {
  const ids = state.ids(context);
  let asked = 0;
  for (const [id, content] of state.given(context)) {
    // In a URL, "." is a path segment that is removed, so the default context cannot be addressed by its name.
    const path = `${context === DEFAULT ? "" : `/contexts/${context}`}/schemas/ids/${id}`;
    const read = await world.read(path);
    const record = ids.get(id);
    if (!record) {
      world.expectRefusal("confluent", read, "SCHEMA_NOT_FOUND");
      continue;
    }
    expect(identity(record), `The id ${id} has changed its content`).toBe(content);
    world.expectOk(read, 200);
    expectText(state, record, (read.body as { schema: string }).schema);
    if (++asked > USES_ASKED) continue;
    const uses = await world.read(`${path}/versions?deleted=true`);
    const newest = new Map<string, number>();
    for (const { name, number, confluentId } of state.records()) {
      if (name.context !== context || confluentId !== id) continue;
      newest.set(print(name), Math.max(newest.get(print(name)) ?? 0, number!));
    }
    const expected = [...newest].map(([subject, version]) => ({ subject, version }));
    const byName = (a: { subject: string }, b: { subject: string }) => (a.subject < b.subject ? -1 : 1);
    expect((uses.body as { subject: string }[]).sort(byName), `Uses of id ${id}`).toEqual(expected.sort(byName));
  }
}

/** Effective settings are in the subject's summary; this checks its own scope, and the wider ones. */
async function expectScopes(state: RegistryState, world: World): Promise<void> {
  for (const context of [GLOBAL.context, ...state.contexts]) {
    const scope: Name = { context, subject: "" };
    const config = await world.read(`${confluentPath("config", scope)}?defaultToGlobal=true`);
    world.expectOk(config, 200, { compatibilityLevel: state.level(scope) });
    const mode = await world.read(`${confluentPath("mode", scope)}?defaultToGlobal=true`);
    world.expectOk(mode, 200, { mode: state.mode(scope) });
  }
  for (const subject of state.subjects.values()) {
    const own = await world.read(confluentPath("config", subject));
    const config = state.configs.get(scopeKey(subject));
    if (!config) world.expectRefusal("confluent", own, "SUBJECT_COMPATIBILITY_NOT_SET");
    else world.expectOk(own, 200, config.level === undefined ? {} : { compatibilityLevel: config.level });
  }
}

/** An unqualified name is also searched in other contexts. */
function qualified({ context, subject }: Name): string {
  return `:${context}:${subject}`;
}
