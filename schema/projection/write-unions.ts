/**
 * Alternatives: siblings are distributed into each, impossible ones are removed, and the decoder selects the matching
 * one.
 */
import { combineAlternatives } from "./alternatives.ts";
import { MAX_ALTERNATIVES } from "./bounds.ts";
import { type Draft, isUnconstrained, type Union } from "./draft.ts";
import { excludeEachOther } from "./exclusive-alternatives.ts";
import type { Place, Rewriter, Written } from "./rewriter.ts";

export function writeUnions(rewriter: Rewriter, draft: Draft, place: Place): Written | null {
  const bare: Draft = { ...draft, annotations: new Map(), unions: [] };
  if (!isUnconstrained(bare) && canStandBeside(rewriter, draft)) {
    const conditions = draft.unions.flatMap(({ keyword, pointer, written }) =>
      written ? [{ keyword, pointer, ...written }] : [],
    );
    return rewriter.write({ ...draft, unions: [], conditions: [...draft.conditions, ...conditions] }, place);
  }
  const options = multiplied(rewriter, draft, bare);
  const keyword = keywordFor(rewriter, draft, bare, options);
  const inside: Place = { ...place, depth: place.depth + 1 };
  const alternatives = options.flatMap((option) => {
    const written = rewriter.write(option, inside);
    return written === null ? [] : [{ draft: option, written }];
  });
  return combineAlternatives(rewriter, draft, alternatives, keyword);
}

/** Whether alternatives can stay as written next to their siblings. */
function canStandBeside({ profile }: Rewriter, { unions, properties }: Draft): boolean {
  if (profile.oneOf.value !== "kept" || profile.otherKeywords.value !== "enforced") return false;
  if (unions.some(({ written }) => written === undefined)) return false;
  if (new Set(unions.map(({ keyword }) => keyword)).size < unions.length) return false;
  const names = profile.propertyNames && new RegExp(profile.propertyNames.value, "u");
  return names === undefined || [...(properties?.keys() ?? [])].every((name) => names.test(name));
}

/** Every combination of the base with one option of each union. */
function multiplied(rewriter: Rewriter, draft: Draft, base: Draft): Draft[] {
  const [first, ...further] = draft.unions;
  let options = [...first!.options];
  let rest: Draft = base;
  for (const union of further) {
    if (options.length * union.options.length > MAX_ALTERNATIVES) rest = withCondition(rest, union);
    else options = options.flatMap((a) => union.options.map((b) => rewriter.reader.intersect(a, b)));
  }
  if (isUnconstrained(rest)) return options;
  if (rewriter.profile.otherKeywords.value !== "enforced") {
    const message = `The siblings of "${first!.keyword}" are moved into each alternative: ${rewriter.profile.provider} may not combine them.`;
    rewriter.change(
      "distributed_union",
      first!.pointer,
      "lossless",
      message,
      `Move them into each alternative of "${first!.keyword}".`,
    );
  }
  return options.map((option) => rewriter.reader.intersect(rest, option));
}

function withCondition(draft: Draft, { keyword, pointer, written }: Union): Draft {
  if (written === undefined) return draft;
  return { ...draft, conditions: [...draft.conditions, { keyword, pointer, ...written }] };
}

/** `oneOf` becomes `anyOf`, which is equivalent if no value matches two alternatives. */
function keywordFor(rewriter: Rewriter, draft: Draft, bare: Draft, options: readonly Draft[]): Union["keyword"] {
  const exclusive = draft.unions.filter(({ keyword }) => keyword === "oneOf");
  if (exclusive.length === 0) return "anyOf";
  const { profile } = rewriter;
  // Siblings are distributed into each alternative and no longer determine which of them matches.
  const isAlone = draft.unions.length === 1 && isUnconstrained(bare);
  if (profile.oneOf.value === "kept" && isAlone && profile.additionalProperties.value === "any") return "oneOf";
  const areDisjoint = excludeEachOther(rewriter.reader, options);
  for (const { pointer } of exclusive) {
    const message = areDisjoint
      ? `"oneOf" is written as "anyOf", which is equivalent because no value matches two alternatives: ${profile.provider} does not support "oneOf".`
      : `"oneOf" is written as "anyOf", so an answer may match two alternatives: ${profile.provider} does not support "oneOf".`;
    rewriter.change(
      "one_of_as_any_of",
      pointer,
      areDisjoint ? "lossless" : "checked_after",
      message,
      'Write "anyOf", and distinguish the alternatives by a constant member.',
    );
  }
  return "anyOf";
}
