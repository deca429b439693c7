/**
 * Chooses which optional properties are written as required ones if a request limits the number of optional properties.
 * Adding a value that represents absence uses no budget and is preferred; allowing null uses a union, whose number is
 * also limited.
 */
import { ok, type Result, refuse } from "../result.ts";
import type { Draft } from "./draft.ts";
import type { Measure } from "./measure.ts";
import type { Profile } from "./profile.ts";
import type { AbsenceEncoding, Rewriter } from "./rewriter.ts";

/** The remaining budgets of a request; undefined if the provider has none. */
export type RequestBudget = { readonly optionalProperties?: number; readonly unions?: number };

export function requestBudget({ budgets }: Profile): RequestBudget {
  const { maxOptionalProperties, maxUnions } = budgets.request ?? {};
  return {
    ...(maxOptionalProperties === undefined ? {} : { optionalProperties: maxOptionalProperties.value }),
    ...(maxUnions === undefined ? {} : { unions: maxUnions.value }),
  };
}

/** What a message says of a limit, of which other schemas of the request may have used a part. */
function allowance(profile: Profile, limit: keyof RequestBudget, budget: RequestBudget): string {
  const [left, total] = [budget[limit], requestBudget(profile)[limit]];
  return left === total
    ? `${profile.provider} allows ${total} in one request`
    : `${left} are left of the ${total} that ${profile.provider} allows in one request`;
}

type OverBudget = { readonly pointer: string; readonly message: string; readonly fix: string };

export function planAbsences(
  profile: Profile,
  { omittable }: Rewriter,
  measure: Measure,
  budget: RequestBudget = requestBudget(profile),
): Result<ReadonlyMap<string, AbsenceEncoding>, OverBudget> {
  const plan = new Map<string, AbsenceEncoding>();
  let surplus = measure.optionalProperties - (budget.optionalProperties ?? Number.POSITIVE_INFINITY);
  let unions = (budget.unions ?? Number.POSITIVE_INFINITY) - measure.unions;
  if (unions < 0) {
    const message = `The projected schema has ${measure.unions} alternatives and lists of types; ${allowance(profile, "unions", budget)}.`;
    return refuse({ pointer: "", message, fix: "Split the schema, use fewer unions, or send it without strict." });
  }
  const counts = new Map<string, { draft: Draft; count: number }>();
  for (const { draft } of omittable) {
    const known = counts.get(draft.pointer);
    counts.set(draft.pointer, { draft, count: (known?.count ?? 0) + 1 });
  }
  const candidates = [...counts].sort(
    ([, a], [, b]) => Number(takesSentinel(b.draft)) - Number(takesSentinel(a.draft)),
  );
  for (const [pointer, { draft, count }] of candidates) {
    if (surplus <= 0) break;
    const encoding: AbsenceEncoding = takesSentinel(draft) ? "sentinel" : "null";
    if (encoding === "null" && unions < count) continue;
    if (encoding === "null") unions -= count;
    plan.set(pointer, encoding);
    surplus -= count;
  }
  if (surplus <= 0) return ok(plan);
  const message = `The projected schema has ${measure.optionalProperties} optional properties; ${allowance(profile, "optionalProperties", budget)}, and ${surplus} of them cannot be rewritten.`;
  return refuse({
    pointer: "",
    message,
    fix: 'List more properties in "required", split the schema, or send it without strict.',
  });
}

/** Enumerated strings and booleans can take one more value. */
function takesSentinel({ types, values, unions, reference }: Draft): boolean {
  if (reference !== null || unions.length > 0) return false;
  if (values !== null) return values.keyword === "enum" && values.nodes.every(({ type }) => type === "string");
  return types?.size === 1 && types.has("boolean");
}
