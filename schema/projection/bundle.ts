/**
 * Projects the tools and the output schema of one request together, because some limits are sums over all of them. Each
 * schema gets what it needs, smallest first; a schema whose needs no longer fit is sent without strict, if the API
 * supports that.
 */
import type { JsonSchemaModel } from "../json/model.ts";
import { ok, type Result, refuse } from "../result.ts";
import { type RequestBudget, requestBudget } from "./absences.ts";
import { MAX_BUNDLED_SCHEMAS } from "./bounds.ts";
import type { Profile } from "./profile.ts";
import { type Projection, type ProjectionRefusal, projectSchema } from "./project.ts";

type BundledSchema = { readonly name: string; readonly model: JsonSchemaModel };

type BundledProjection = {
  readonly name: string;
  /** Whether the schema counts as strict. */
  readonly strict: boolean;
  /** The reason it is sent without strict. */
  readonly reason?: string;
  readonly projection: Projection;
};

type Bundle = {
  /** In the given order. */
  readonly schemas: readonly BundledProjection[];
  readonly taken: { readonly strictTools: number; readonly optionalProperties: number; readonly unions: number };
  readonly warnings: readonly string[];
};

type BundleRefusal =
  | { readonly reason: "too_many"; readonly message: string }
  | {
      readonly reason: "impossible" | "too_complex";
      readonly name: string;
      readonly problems: ProjectionRefusal["problems"];
    };

/**
 * `fallback` is the profile of schemas that are sent without strict; without it, a schema that does not fit refuses the
 * bundle.
 */
export function projectBundle(
  schemas: readonly BundledSchema[],
  profile: Profile,
  fallback?: Profile,
): Result<Bundle, BundleRefusal> {
  if (schemas.length > MAX_BUNDLED_SCHEMAS) {
    const message = `A request with ${schemas.length} schemas is too large (at most ${MAX_BUNDLED_SCHEMAS}).`;
    return refuse({ reason: "too_many", message });
  }
  const filling = new Filling(profile);
  const placed = new Map<BundledSchema, BundledProjection>();
  // Sorted by need without rewrites, because many small schemas gain more than a single one that takes the whole
  // budget.
  const needs = schemas.map((schema) => ({ schema, need: needOf(schema, profile) }));
  for (const { schema } of [...needs].sort((a, b) => a.need - b.need)) {
    const found = filling.place(schema);
    if (found.ok) {
      placed.set(schema, found.value);
      continue;
    }
    const loose = fallback && projectSchema(schema.model, fallback);
    if (!loose?.ok) {
      const { reason, problems } = found.refusal;
      return refuse({ reason, name: schema.name, problems });
    }
    const reason = found.refusal.problems.map(({ message }) => message).join(" ");
    placed.set(schema, { name: schema.name, strict: false, reason, projection: loose.value });
  }
  return ok({
    schemas: schemas.map((schema) => placed.get(schema)!),
    taken: filling.taken,
    warnings: filling.warnings(),
  });
}

function needOf({ model }: BundledSchema, profile: Profile): number {
  const projected = projectSchema(model, profile, { budget: {} });
  if (!projected.ok) return Number.POSITIVE_INFINITY;
  return projected.value.measure.optionalProperties + projected.value.measure.unions;
}

/** The used part of a request's limits. */
class Filling {
  readonly taken = { strictTools: 0, optionalProperties: 0, unions: 0 };
  readonly #profile: Profile;

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  place({ name, model }: BundledSchema): Result<BundledProjection, ProjectionRefusal> {
    const { budgets, provider } = this.#profile;
    const most = budgets.request?.maxStrictTools?.value;
    if (most !== undefined && this.taken.strictTools >= most) {
      const message = `${provider} allows ${most} strict schemas in one request.`;
      return refuse({ reason: "impossible", problems: [{ pointer: "", message }] });
    }
    const projected = projectSchema(model, this.#profile, { budget: this.#left() });
    if (!projected.ok) return projected;
    const { measure } = projected.value;
    this.taken.strictTools += 1;
    this.taken.optionalProperties += measure.optionalProperties;
    this.taken.unions += measure.unions;
    return ok({ name, strict: true, projection: projected.value });
  }

  #left(): RequestBudget {
    const { optionalProperties, unions } = requestBudget(this.#profile);
    return {
      ...(optionalProperties === undefined
        ? {}
        : { optionalProperties: optionalProperties - this.taken.optionalProperties }),
      ...(unions === undefined ? {} : { unions: unions - this.taken.unions }),
    };
  }

  warnings(): string[] {
    const { budgets, provider } = this.#profile;
    const prudent = budgets.request?.prudentOptionalProperties;
    if (prudent === undefined || this.taken.optionalProperties <= prudent.value) return [];
    const { optionalProperties } = this.taken;
    return [
      `The request has ${optionalProperties} optional properties; ${provider} has been observed to fail above ${prudent.value}, although its limit is higher.`,
    ];
  }
}
