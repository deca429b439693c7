/**
 * Whether no value matches two of several alternatives. A `oneOf` of n alternatives has n² pairs, so those that a common
 * tag tells apart are not compared: only alternatives with the same tag are.
 */
import { equalityKeys } from "../json/validate/equality.ts";
import { MAX_EXCLUSION_STEPS } from "./bounds.ts";
import { commonTypes, type Draft } from "./draft.ts";
import type { DraftReader } from "./read-draft.ts";

/** What tells values apart: their types, and their listed values if there are any. */
type Values = { readonly types: Draft["types"]; readonly keys: ReadonlySet<string> | null };

type Alternative = Values & {
  readonly never: boolean;
  /** Required members of an alternative that only allows objects. */
  readonly members: ReadonlyMap<string, Values>;
};

/** Whether the alternatives evidently exclude each other; false if that takes too many steps to find out. */
export function excludeEachOther(reader: DraftReader, options: readonly Draft[]): boolean {
  const steps = new Steps();
  const alternatives: Alternative[] = [];
  for (const option of options) {
    const alternative = alternativeOf(reader, reader.resolve(option) ?? option, steps);
    if (alternative === undefined) return false;
    if (!alternative.never) alternatives.push(alternative);
  }
  const tagOf = commonTag(alternatives);
  const tagged = new Map<string, Alternative[]>();
  const others: Alternative[] = [];
  for (const alternative of alternatives) {
    const keys = tagOf(alternative)?.keys ?? null;
    if (keys === null) others.push(alternative);
    else if (!steps.take(keys.size)) return false;
    else for (const key of keys) group(tagged, key).push(alternative);
  }
  return (
    [...tagged.values()].every((same) => pairsExclude(same, same, steps)) && pairsExclude(others, alternatives, steps)
  );
}

class Steps {
  #left = MAX_EXCLUSION_STEPS;

  /** False once there are none left. */
  take(count: number): boolean {
    this.#left -= count;
    return this.#left >= 0;
  }
}

function group(groups: Map<string, Alternative[]>, key: string): Alternative[] {
  const known = groups.get(key);
  if (known !== undefined) return known;
  const created: Alternative[] = [];
  groups.set(key, created);
  return created;
}

function alternativeOf(reader: DraftReader, draft: Draft, steps: Steps): Alternative | undefined {
  const members = new Map<string, Values>();
  if (draft.types?.size === 1 && draft.types.has("object")) {
    if (!steps.take(draft.required.size)) return undefined;
    for (const name of draft.required) {
      const member = draft.properties?.get(name);
      const resolved = member && reader.resolve(member);
      if (resolved !== undefined) members.set(name, valuesOf(resolved));
    }
  }
  return { ...valuesOf(draft), never: draft.never, members };
}

function valuesOf({ types, values }: Draft): Values {
  if (values === null) return { types, keys: null };
  return { types: types ?? new Set(values.nodes.map(({ type }) => type)), keys: equalityKeys(values.nodes) };
}

/** What has listed values in most alternatives: one of their members, or the alternatives themselves. */
function commonTag(alternatives: readonly Alternative[]): (alternative: Alternative) => Values | undefined {
  const counts = new Map<string, number>();
  for (const { members } of alternatives) {
    for (const [name, { keys }] of members) if (keys !== null) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  let tag: string | undefined;
  let most = alternatives.filter(({ keys }) => keys !== null).length;
  for (const [name, count] of counts) if (count > most) [tag, most] = [name, count];
  return (alternative) => (tag === undefined ? alternative : alternative.members.get(tag));
}

function pairsExclude(some: readonly Alternative[], all: readonly Alternative[], steps: Steps): boolean {
  return some.every((one) => all.every((other) => one === other || exclude(one, other, steps)));
}

/** By type, by listed values, or by a member that both require. */
function exclude(a: Alternative, b: Alternative, steps: Steps): boolean {
  if (valuesExclude(a, b, steps)) return true;
  for (const [name, member] of a.members) {
    if (!steps.take(1)) return false;
    const other = b.members.get(name);
    if (other !== undefined && valuesExclude(member, other, steps)) return true;
  }
  return false;
}

function valuesExclude(a: Values, b: Values, steps: Steps): boolean {
  if (!steps.take(1)) return false;
  if (commonTypes(a.types, b.types)?.size === 0) return true;
  if (a.keys === null || b.keys === null) return false;
  const [fewer, more] = a.keys.size < b.keys.size ? [a.keys, b.keys] : [b.keys, a.keys];
  if (!steps.take(fewer.size)) return false;
  for (const key of fewer) if (more.has(key)) return false;
  return true;
}
