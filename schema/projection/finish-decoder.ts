/** Finishes the decoder of a whole schema: steps and definitions without effect are removed. */
import { type JsonObject, toPlainValue } from "../json-text.ts";
import type { Decoder, DecodeStep, MemberStep } from "./decoder.ts";
import type { Rewriter, Written } from "./rewriter.ts";

export function makeDecoder(profile: string, written: Written, rewriter: Rewriter, root: JsonObject): Decoder {
  const steps = new Map<string, DecodeStep>();
  for (const { name, decode } of rewriter.definitions.values()) if (decode !== null) steps.set(name, decode);
  const active = activeDefinitions(steps);
  const rootStep = written.decode === null ? null : trimmed(written.decode, active);
  const definitions: Record<string, DecodeStep> = {};
  for (const name of reachableFrom(rootStep, steps, active)) {
    const step = trimmed(steps.get(name)!, active);
    if (step !== null) definitions[name] = step;
  }
  const usesSchema = JSON.stringify([rootStep, definitions]).includes('"op":"choose"');
  return {
    version: 1,
    profile,
    ...(rootStep === null ? {} : { root: rootStep }),
    ...(Object.keys(definitions).length === 0 ? {} : { definitions }),
    ...(usesSchema ? { schema: toPlainValue(root) } : {}),
  };
}

/**
 * Definitions whose steps have an effect, by themselves or through others: a recursive one that only leads to itself
 * has none.
 */
function activeDefinitions(steps: ReadonlyMap<string, DecodeStep>): ReadonlySet<string> {
  const active = new Set<string>();
  const users = new Map<string, string[]>();
  for (const [name, step] of steps) {
    if (trimmed(step, NONE) !== null) active.add(name);
    for (const used of new Set(namesIn(step))) {
      const known = users.get(used);
      if (known) known.push(name);
      else users.set(used, [name]);
    }
  }
  // A set that grows is iterated to its last member.
  for (const name of active) for (const user of users.get(name) ?? []) active.add(user);
  return active;
}

const NONE: ReadonlySet<string> = new Set();

function reachableFrom(
  root: DecodeStep | null,
  steps: ReadonlyMap<string, DecodeStep>,
  active: ReadonlySet<string>,
): Set<string> {
  const found = new Set<string>();
  const pending: (DecodeStep | null)[] = [root];
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    if (step === null) continue;
    for (const name of namesIn(step)) {
      if (found.has(name) || !active.has(name)) continue;
      found.add(name);
      pending.push(steps.get(name) ?? null);
    }
  }
  return found;
}

function namesIn(step: DecodeStep): string[] {
  const text = JSON.stringify(step);
  return [...text.matchAll(/"op":"definition","name":("(?:[^"\\]|\\.)*")/g)].map(
    ([, name]) => JSON.parse(name!) as string,
  );
}

/** The step without ineffective parts; null if nothing is left. Recursion is bounded by the projected depth. */
function trimmed(step: DecodeStep, active: ReadonlySet<string>): DecodeStep | null {
  const inner = (decode: DecodeStep | undefined): { decode?: DecodeStep } => {
    const kept = decode === undefined ? null : trimmed(decode, active);
    return kept === null ? {} : { decode: kept };
  };
  switch (step.op) {
    case "definition":
      return active.has(step.name) ? step : null;
    case "items": {
      const decode = trimmed(step.decode, active);
      return decode === null ? null : { ...step, decode };
    }
    case "prefix": {
      const items = step.items.map((item) => (item === null ? null : trimmed(item, active)));
      const rest = step.rest === null ? null : trimmed(step.rest, active);
      return rest === null && items.every((item) => item === null) ? null : { op: "prefix", items, rest };
    }
    case "choose": {
      const branches = step.branches.map(({ decode, ...branch }) => ({ ...branch, ...inner(decode) }));
      return branches.every(({ decode }) => decode === undefined) ? null : { op: "choose", branches };
    }
    case "object":
      return trimmedObject(step, active, inner);
    case "tuple":
      return { ...step, members: trimmedMembers(step.members, inner), ...restOf(step, inner) };
    case "entries": {
      const { decode, decode_key, ...rest } = step;
      const key = inner(decode_key).decode;
      return { ...rest, ...(key === undefined ? {} : { decode_key: key }), ...inner(decode) };
    }
    case "unwrap":
      return { op: "unwrap", member: step.member, ...inner(step.decode) };
    default:
      return step;
  }
}

type Inner = (decode: DecodeStep | undefined) => { decode?: DecodeStep };

function trimmedMembers(members: readonly MemberStep[], inner: Inner): MemberStep[] {
  return members.map(({ decode, ...member }) => ({ ...member, ...inner(decode) }));
}

function restOf(step: { rest?: { member: string; decode?: DecodeStep } }, inner: Inner) {
  return step.rest === undefined ? {} : { rest: { member: step.rest.member, ...inner(step.rest.decode) } };
}

function trimmedObject(
  step: Extract<DecodeStep, { op: "object" }>,
  active: ReadonlySet<string>,
  inner: Inner,
): DecodeStep | null {
  const members = trimmedMembers(step.members, inner);
  const others = step.others === undefined ? null : trimmed(step.others, active);
  const isIdle = members.every(
    ({ given, name, absent, nullable, decode }) => given === name && !absent && !nullable && !decode,
  );
  if (isIdle && others === null && step.rest === undefined && !step.in_order) return null;
  return {
    op: "object",
    members,
    ...restOf(step, inner),
    ...(others === null ? {} : { others }),
    ...(step.in_order ? { in_order: true as const } : {}),
  };
}
