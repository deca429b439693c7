/** Deletes, changes of records, config, modes, rule books and contexts: predicted from state alone. */
import { expect } from "vitest";
import type { ErrorName } from "../../contract/errors.ts";
import { activate, nativeView } from "./register-commands.ts";
import {
  type Config,
  DEFAULT,
  GLOBAL,
  type Level,
  live,
  type Mode,
  type ModelRecord,
  type Name,
  numbered,
  print,
  type RegistryState,
  scopeKey,
} from "./registry-state.ts";
import type { World } from "./world.ts";

type Api = "confluent" | "native";

export async function deleteVersion(
  state: RegistryState,
  world: World,
  asked: { name: Name; version: number | "latest"; permanent: boolean; keyed: boolean },
): Promise<void> {
  const path = `/subjects/${encodeURIComponent(print(asked.name))}/versions/${asked.version}`;
  const answer = await world.write("DELETE", permanently(path, asked.permanent), undefined, asked);
  const name = state.resolve(asked.name);
  const versions = numbered(state.subject(name));
  if (versions.length === 0) return world.expectRefusal("confluent", answer, "SUBJECT_NOT_FOUND");
  const record =
    asked.version === "latest" ? live(state.subject(name))[0] : versions.find(({ number }) => number === asked.version);
  if (!record) return world.expectRefusal("confluent", answer, "VERSION_NOT_FOUND");
  const error = state.isReadOnly(name) ? "OPERATION_NOT_PERMITTED" : deletionError(state, record, asked.permanent);
  if (error) return world.expectRefusal("confluent", answer, error);
  remove(state, [record], asked.permanent);
  expect(answer.body).toBe(record.number);
}

export async function deleteRecord(
  state: RegistryState,
  world: World,
  { record, permanent, keyed }: { record: ModelRecord; permanent: boolean; keyed: boolean },
): Promise<void> {
  const answer = await world.write("DELETE", permanently(`/api/v1/schemas/${record.id}`, permanent), undefined, {
    keyed,
  });
  const errors = applyDelete(state, record, permanent);
  if (errors) return world.expectRefusal("native", answer, ...errors);
  world.expectOk(answer, 204);
}

/** Deletes a record, or returns the expected refusal. */
export function applyDelete(
  state: RegistryState,
  record: ModelRecord,
  permanent: boolean,
): readonly ErrorName[] | undefined {
  const error = state.isReadOnly(record.name) ? "OPERATION_NOT_PERMITTED" : deletionError(state, record, permanent);
  if (error) return [error];
  remove(state, [record], permanent);
  return undefined;
}

function deletionError(state: RegistryState, record: ModelRecord, permanent: boolean) {
  if (permanent && !record.deleted) return "VERSION_NOT_SOFT_DELETED" as const;
  if (!permanent && record.deleted) return "VERSION_SOFT_DELETED" as const;
  return isReferenced(state, record, permanent, []) ? ("REFERENCE_EXISTS" as const) : undefined;
}

/** Live referrers block a soft delete, soft-deleted ones also a hard delete. */
function isReferenced(
  state: RegistryState,
  { name, number }: ModelRecord,
  permanent: boolean,
  except: readonly ModelRecord[],
): boolean {
  if (number === null) return false;
  return state.referrers(name, number).some((record) => !except.includes(record) && (permanent || !record.deleted));
}

export async function deleteSubject(
  state: RegistryState,
  world: World,
  { api, name: asked, permanent, keyed }: { api: Api; name: Name; permanent: boolean; keyed: boolean },
): Promise<void> {
  const printed = encodeURIComponent(print(asked));
  const path = api === "confluent" ? `/subjects/${printed}` : `/api/v1/subjects/${printed}`;
  const answer = await world.write("DELETE", permanently(path, permanent), undefined, { keyed });
  const name = state.resolve(asked);
  const subject = state.subject(name);
  // The Confluent API never shows drafts, so a subject with only drafts does not exist there.
  if (!subject || (api === "confluent" && numbered(subject).length === 0)) {
    return world.expectRefusal(api, answer, "SUBJECT_NOT_FOUND");
  }
  const remaining = subject.records.filter(({ deleted }) => !deleted);
  if (permanent ? remaining.length > 0 : remaining.length === 0) {
    const error = permanent ? "SUBJECT_NOT_SOFT_DELETED" : "SUBJECT_SOFT_DELETED";
    return world.expectRefusal(
      api,
      answer,
      error,
      ...(state.isReadOnly(name) ? ["OPERATION_NOT_PERMITTED" as const] : []),
    );
  }
  if (state.isReadOnly(name)) return world.expectRefusal(api, answer, "OPERATION_NOT_PERMITTED");
  const going = permanent ? [...subject.records] : remaining;
  if (going.some((record) => isReferenced(state, record, permanent, subject.records))) {
    return world.expectRefusal(api, answer, "REFERENCE_EXISTS");
  }
  const numbers = going.flatMap(({ number }) => number ?? []).sort((a, b) => a - b);
  remove(state, going, permanent);
  if (api === "native") world.expectOk(answer, 200, { versions: numbers });
  else expect(answer.body).toEqual(numbers);
}

function remove(state: RegistryState, records: readonly ModelRecord[], permanent: boolean): void {
  if (permanent) state.remove(records);
  else for (const record of records) record.deleted = true;
}

function permanently(path: string, permanent: boolean): string {
  return permanent ? `${path}?permanent=true` : path;
}

export type Change = { description: string } | { state: "active" | "deprecated" | "archived" };

export async function patch(state: RegistryState, world: World, record: ModelRecord, change: Change): Promise<void> {
  if ("state" in change && change.state === "active" && record.state === "draft") return activate(state, world, record);
  const answer = await world.write("PATCH", `/api/v1/schemas/${record.id}`, change);
  if (record.deleted) return world.expectRefusal("native", answer, "SCHEMA_NOT_FOUND");
  if (state.isReadOnly(record.name)) return world.expectRefusal("native", answer, "OPERATION_NOT_PERMITTED");
  if ("state" in change && record.state === "draft") return world.expectRefusal("native", answer, "CONFLICT");
  Object.assign(record, change);
  world.expectOk(answer, 200, nativeView(record));
}

export async function setConfig(
  state: RegistryState,
  world: World,
  {
    api,
    scope,
    level,
    alias,
    keyed,
  }: { api: Api; scope: Name; level?: Level | null; alias?: string | null; keyed: boolean },
): Promise<void> {
  const answer =
    api === "native"
      ? await world.write("PUT", nativeScopePath(scope, "compatibility"), { level }, { keyed })
      : await world.write("PUT", confluentPath("config", scope), { compatibility: level, alias }, { keyed });
  if (state.isReadOnly(scope)) return world.expectRefusal(api, answer, "OPERATION_NOT_PERMITTED");
  const config: Config = { ...state.configs.get(scopeKey(scope)) };
  if (level === null) delete config.level;
  else if (level !== undefined) config.level = level;
  if (alias === null) delete config.alias;
  else if (alias !== undefined) config.alias = alias;
  if (Object.keys(config).length === 0) state.configs.delete(scopeKey(scope));
  else state.configs.set(scopeKey(scope), config);
  world.expectOk(answer, 200, api === "native" ? { level: state.level(scope) } : level ? { compatibility: level } : {});
}

export async function deleteConfig(state: RegistryState, world: World, scope: Name): Promise<void> {
  const answer = await world.write("DELETE", confluentPath("config", scope));
  if (state.isReadOnly(scope)) return world.expectRefusal("confluent", answer, "OPERATION_NOT_PERMITTED");
  const isTop = scope.subject === "" && (scope.context === DEFAULT || scope.context === GLOBAL.context);
  const had = state.configs.delete(scopeKey(scope));
  if (!had && !isTop) return world.expectRefusal("confluent", answer, "SUBJECT_NOT_FOUND");
  world.expectOk(answer, 200);
}

export async function setMode(
  state: RegistryState,
  world: World,
  { scope, mode, force, keyed }: { scope: Name; mode: Mode | null; force: boolean; keyed: boolean },
): Promise<void> {
  const path = `${confluentPath("mode", scope)}${force ? "?force=true" : ""}`;
  const answer = await world.write("PUT", path, { mode }, { keyed });
  if (mode === "IMPORT" && !state.isImporting(scope) && !force) {
    const subjects = [...state.subjects.values()].filter((subject) => covers(scope, subject));
    if (subjects.some((subject) => live(subject).length > 0)) {
      return world.expectRefusal("confluent", answer, "OPERATION_NOT_PERMITTED");
    }
    const leftovers = subjects.flatMap(({ records }) => records.filter(({ deleted }) => deleted));
    const isHeld = (record: ModelRecord) =>
      isReferenced(
        state,
        record,
        true,
        leftovers.filter(({ name }) => print(name) === print(record.name)),
      );
    if (leftovers.some(isHeld)) return world.expectRefusal("confluent", answer, "REFERENCE_EXISTS");
    state.remove(leftovers);
  }
  if (mode === null) state.modes.delete(scopeKey(scope));
  else state.modes.set(scopeKey(scope), mode);
  world.expectOk(answer, 200, mode === null ? {} : { mode });
}

function covers(scope: Name, { context, subject }: Name): boolean {
  if (scope.context === GLOBAL.context) return true;
  return scope.context === context && (scope.subject === "" || scope.subject === subject);
}

export async function deleteMode(
  state: RegistryState,
  world: World,
  { scope, recursive }: { scope: Name; recursive: boolean },
): Promise<void> {
  const answer = await world.write("DELETE", `${confluentPath("mode", scope)}${recursive ? "?recursive=true" : ""}`);
  const before = state.modes.get(scopeKey(scope));
  const isTop = scope.subject === "" && (scope.context === DEFAULT || scope.context === GLOBAL.context);
  if (!before && !recursive && !isTop) return world.expectRefusal("confluent", answer, "SUBJECT_NOT_FOUND");
  state.modes.delete(scopeKey(scope));
  if (recursive && scope.subject === "") {
    const below =
      scope.context === DEFAULT
        ? (key: string) => !key.startsWith(":")
        : (key: string) => key.startsWith(`:${scope.context}:`);
    for (const key of [...state.modes.keys()].filter(below)) state.modes.delete(key);
  }
  world.expectOk(answer, 200, before ? { mode: before } : {});
}

/** A book that allows every difference, or none. */
export async function setRules(
  state: RegistryState,
  world: World,
  { scope, allow }: { scope: Name; allow: boolean },
): Promise<void> {
  const path = scope.subject === "" ? "/api/v1/rules" : nativeScopePath(scope, "rules");
  const book = { overrides: allow ? [{ pointer: "/**", action: "allow" }] : [] };
  const answer = await world.write("PUT", path, book);
  const own = scope.subject === "" ? GLOBAL : scope;
  if (state.isReadOnly(own)) return world.expectRefusal("native", answer, "OPERATION_NOT_PERMITTED");
  if (allow) state.allowing.add(scopeKey(own));
  else state.allowing.delete(scopeKey(own));
  world.expectOk(answer, 200, book);
}

export async function deleteContext(state: RegistryState, world: World, context: string): Promise<void> {
  const answer = await world.write("DELETE", `/contexts/${encodeURIComponent(`:${context}:`)}`);
  if ([...state.subjects.values()].some((subject) => subject.context === context)) {
    return world.expectRefusal("confluent", answer, "CONTEXT_NOT_EMPTY");
  }
  world.expectOk(answer, 204);
  if (context === DEFAULT || !state.contexts.delete(context)) return;
  for (const scopes of [state.configs, state.modes, state.allowing]) {
    for (const key of [...scopes.keys()]) if (key.startsWith(`:${context}:`)) scopes.delete(key);
  }
}

export function confluentPath(noun: "config" | "mode", { context, subject }: Name): string {
  if (context === DEFAULT && subject === "") return `/${noun}`;
  return `/${noun}/${encodeURIComponent(subject === "" ? `:${context}:` : print({ context, subject }))}`;
}

function nativeScopePath(scope: Name, noun: "compatibility" | "rules"): string {
  const context = `?context=${encodeURIComponent(scope.context)}`;
  return scope.subject === ""
    ? `/api/v1/${noun}${context}`
    : `/api/v1/subjects/${encodeURIComponent(scope.subject)}/${noun}${context}`;
}
