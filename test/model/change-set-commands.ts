/** Change sets, proposals of them, promotions, and registrations under protections and freezes. */
import { expect } from "vitest";
import type { ErrorName } from "../../contract/errors.ts";
import { applyDelete } from "./change-commands.ts";
import { predictRegistration, type Registration, redefinesItself } from "./predict-register.ts";
import {
  addPredicted,
  applyActivation,
  applyUndelete,
  COUNTED_IDS,
  confluentBody,
  confluentRegistrationPath,
  nativeBody,
  type Registering,
  register,
} from "./register-commands.ts";
import { latest, live, type ModelRecord, type Name, print, type RegistryState } from "./registry-state.ts";
import type { Answer, World } from "./world.ts";

/** A delete that is refused is retried after the others, at most this often. */
const MAX_PASSES = 8;

export type PlannedChange =
  | { operation: "register"; asked: Registering }
  | { operation: "delete"; record: ModelRecord; permanent: boolean }
  | { operation: "activate" | "undelete"; record: ModelRecord };

type Outcome = Record<string, unknown>;
type Refusal = { change: number; errors: readonly ErrorName[] };

function bodyOf(change: PlannedChange): object {
  if (change.operation === "register") return { operation: "register", ...nativeBody(change.asked) };
  const { operation, record } = change;
  return { operation, id: record.id, ...("permanent" in change ? { permanent: change.permanent } : {}) };
}

/** Applies one change to the state; a refused one leaves it as it is. */
function apply(state: RegistryState, change: PlannedChange, outcome: Outcome): readonly ErrorName[] | undefined {
  const answer = { body: outcome };
  // A registration of the same content, earlier in the set, takes the place of a soft-deleted record.
  const isGone = "record" in change && !state.subject(change.record.name)?.records.includes(change.record);
  if (isGone) return ["SCHEMA_NOT_FOUND"];
  switch (change.operation) {
    case "delete":
      return applyDelete(state, change.record, change.permanent);
    case "undelete":
      return applyUndelete(state, change.record);
    case "activate":
      return applyActivation(state, change.record, answer);
    case "register": {
      const expected = predictRegistration(state, change.asked);
      if (expected.type === "refused") return expected.errors;
      if (expected.type === "known") return undefined;
      if (expected.type === "undeleted") expected.record.deleted = false;
      else addPredicted(state, change.asked, expected, answer).id = outcome.id as string;
      return undefined;
    }
  }
}

/** Applies the changes in order; refused deletes are retried, the last one first. */
function applyAll(
  state: RegistryState,
  changes: readonly PlannedChange[],
  outcomeOf: (index: number) => Outcome,
): Refusal | undefined {
  let open = changes.map((_, index) => index);
  for (let pass = 1; ; pass += 1) {
    const refused: Refusal[] = [];
    for (const change of open) {
      const errors = apply(state, changes[change]!, outcomeOf(change));
      if (!errors) continue;
      if (changes[change]!.operation !== "delete") return { change, errors };
      refused.push({ change, errors });
    }
    const [first] = refused;
    if (first === undefined) return undefined;
    if (refused.length === open.length || pass === MAX_PASSES) return first;
    open = refused.map(({ change }) => change).toReversed();
  }
}

/** The refusal that is expected, without changing the state; "unpredicted" if the model cannot tell. */
function foresee(
  state: RegistryState,
  changes: readonly PlannedChange[],
): { refusal: Refusal | undefined; changesNothing: boolean } | "unpredicted" {
  const restore = state.snapshot();
  let isPredicted = true;
  let records = "";
  const seen = () => JSON.stringify([...state.subjects.values()]);
  try {
    records = seen();
    const refusal = applyAll(state, changes, (index) => {
      const change = changes[index]!;
      if (change.operation === "register" && redefinesItself(state, change.asked)) isPredicted = false;
      return provisional(state, change);
    });
    return isPredicted ? { refusal, changesNothing: refusal === undefined && records === seen() } : "unpredicted";
  } finally {
    restore();
  }
}

/** Any id that could be assigned; the response has the real one. */
function provisional(state: RegistryState, change: PlannedChange): Outcome {
  const { context } = change.operation === "register" ? state.resolve(change.asked.name) : change.record.name;
  const given = state.given(context);
  const highest = Math.max(0, ...given.keys());
  let id = highest < COUNTED_IDS ? highest + 1 : 1;
  while (given.has(id)) id += 1;
  return { confluent_id: id, id: "" };
}

export async function makeChanges(
  state: RegistryState,
  world: World,
  { changes, keyed }: { changes: readonly PlannedChange[]; keyed: boolean },
): Promise<void> {
  const foreseen = foresee(state, changes);
  if (foreseen === "unpredicted") return;
  const answer = await world.write("POST", "/api/v1/change-sets", { changes: changes.map(bodyOf) }, { keyed });
  const { refusal, changesNothing } = foreseen;
  if (refusal) return world.expectRefusal("native", answer, ...refusal.errors);
  expectMade(state, world, changes, answer, changesNothing);
}

function expectMade(
  state: RegistryState,
  world: World,
  changes: readonly PlannedChange[],
  answer: Answer & { wrote: boolean },
  changesNothing: boolean,
): void {
  world.expectOk(answer, 200);
  expect(answer.wrote, "A change set writes if and only if it changes something").toBe(!changesNothing);
  const { change_set, changes: outcomes } = answer.body as { change_set: string | null; changes: Outcome[] };
  expect(change_set === null).toBe(changesNothing);
  expect(outcomes).toHaveLength(changes.length);
  const refusal = applyAll(state, changes, (index) => outcomes[index]!);
  expect(refusal, "The model refuses what it has foreseen to succeed").toBeUndefined();
}

/** Opens a proposal, which its author cannot approve, and withdraws it. */
export async function propose(
  state: RegistryState,
  world: World,
  { changes }: { changes: readonly PlannedChange[] },
): Promise<void> {
  const foreseen = foresee(state, changes);
  if (foreseen === "unpredicted") return;
  const answer = await world.write("POST", "/api/v1/proposals", { changes: changes.map(bodyOf) });
  if (foreseen.refusal) return world.expectRefusal("native", answer, ...foreseen.refusal.errors);
  if (foreseen.changesNothing) return expect(answer.wrote, "A proposal without changes was opened").toBe(false);
  expect(answer.status, answer.text).toBeLessThan(300);
  const { id } = answer.body as { id: string };
  const approved = await world.write("POST", `/api/v1/proposals/${id}/approve`);
  expect(approved.status, "Authors cannot approve their own proposals").toBeGreaterThanOrEqual(400);
  const withdrawn = await world.write("POST", `/api/v1/proposals/${id}/reject`, { reason: "withdrawn" });
  world.expectOk(withdrawn, 200);
}

/** A registration while every subject is protected or frozen, which may be overridden; nothing remains of that. */
export async function registerGuarded(
  state: RegistryState,
  world: World,
  { asked, guard, overrides }: { asked: Registering; guard: "protections" | "freezes"; overrides: boolean },
): Promise<void> {
  if (redefinesItself(state, asked)) return;
  world.expectOk(await world.write("PUT", "/api/v1/governance", GUARDS[guard]), 200);
  const expected = predictRegistration(state, asked);
  const isGuarded = expected.type === "created" || expected.type === "undeleted";
  if (overrides || !isGuarded) await register(state, world, { ...asked, ...(overrides ? { override: "model" } : {}) });
  else {
    const isNative = asked.api === "native";
    const path = isNative ? "/api/v1/schemas" : confluentRegistrationPath(asked);
    const body = isNative ? nativeBody(asked) : confluentBody(asked);
    const answer = await world.write("POST", path, body, { mayPropose: guard === "protections" });
    world.expectRefusal(asked.api, answer, guard === "protections" ? "PROTECTED" : "FROZEN");
  }
  world.expectOk(await world.write("PUT", "/api/v1/governance", { protections: [], freezes: [] }), 200);
}

const GUARDS = {
  protections: { protections: [{ name: "all", subjects: ["*"], approvals: [{ count: 1 }] }] },
  freezes: {
    freezes: [
      { name: "all", subjects: ["*"], from: "2000-01-01T00:00:00Z", until: "2999-01-01T00:00:00Z", reason: "model" },
    ],
  },
} as const;

export async function promote(
  state: RegistryState,
  world: World,
  { name, version, to }: { name: Name; version: number | "latest"; to: string },
): Promise<void> {
  const answer = await world.write("POST", "/api/v1/promotions", {
    subject: name.subject,
    context: name.context,
    version,
    to_context: to,
  });
  const source = state.subject(state.resolve(name));
  const record = version === "latest" ? latest(source) : live(source).find(({ number }) => number === version);
  if (!record || name.context === to) {
    // A name in the default context is searched in the others as well.
    expect(answer.wrote && answer.status < 300 && name.context === to, "It was promoted into its own context").toBe(
      false,
    );
    if (answer.status >= 300) return;
    throw new Error(`A version that does not exist was promoted: ${answer.text.slice(0, 200)}`);
  }
  const lost = record.targets.some(({ number, ...target }) =>
    live(state.subject(target)).every((other) => other.number !== number),
  );
  if (lost) return world.expectRefusal("native", answer, "UNPROCESSABLE");
  const restore = state.snapshot();
  const before = JSON.stringify([...state.subjects.values()]);
  const outcomes = (answer.body as { changes?: Outcome[] } | undefined)?.changes;
  const errors = applyPromotion(state, record, to, outcomes);
  if (errors) {
    restore();
    return world.expectRefusal("native", answer, ...errors);
  }
  world.expectOk(answer, 200);
  expect(answer.wrote).toBe(before !== JSON.stringify([...state.subjects.values()]));
}

/** Registers a version and what it references in another context. */
function applyPromotion(
  state: RegistryState,
  record: ModelRecord,
  to: string,
  outcomes: readonly Outcome[] | undefined,
): readonly ErrorName[] | undefined {
  const references = record.targets.map((target) => live(state.subject(target)).find(isNumbered(target.number))!);
  const [reference = null] = references;
  const promoted: ModelRecord[] = [];
  for (const [index, source] of [...references, record].entries()) {
    const own = source === record && reference !== null ? promoted[0]! : null;
    const asked = registrationOf(source, to, own);
    const change = { operation: "register", asked } as const;
    const outcome = outcomes?.[index] ?? provisional(state, change);
    const expected = predictRegistration(state, asked);
    if (expected.type === "refused") return expected.errors;
    if (expected.type === "known" || expected.type === "undeleted") promoted.push(expected.record);
    else {
      const added = addPredicted(state, asked, expected, { body: outcome });
      Object.assign(added, { id: outcome.id, description: source.description });
      promoted.push(added);
    }
  }
  return undefined;
}

function isNumbered(wanted: number) {
  return ({ number }: ModelRecord) => number === wanted;
}

function registrationOf(source: ModelRecord, context: string, reference: ModelRecord | null): Registering {
  const { content, canonical, metadata, dialect, name, references } = source;
  const registration: Registration = {
    api: "native",
    name: { context, subject: name.subject },
    content,
    spelling: content.spellings.findIndex((spelling) => spelling.canonical === canonical),
    normalise: false,
    reference:
      reference === null
        ? null
        : { name: references[0]!.name, subject: print(reference.name), version: reference.number! },
    metadata,
    id: null,
    number: null,
    draft: false,
    dialect,
  };
  return { ...registration, level: null, keyed: false };
}
