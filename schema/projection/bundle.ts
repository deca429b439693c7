/**
 * Projects the tools of one request together, because some limits are sums over all of them. Each schema gets what it
 * needs, smallest first; one that no longer fits is projected for a fallback profile, if one is given.
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
  /** The requested one, or the fallback. */
  readonly profile: Profile;
  /** Why the fallback was needed. */
  readonly reason?: string;
  readonly projection: Projection;
};

type Bundle = {
  /** In the given order. */
  readonly schemas: readonly BundledProjection[];
  readonly warnings: readonly string[];
};

type BundleRefusal = {
  readonly reason: "too_many" | ProjectionRefusal["reason"];
  /** The schema that cannot be projected; none if there are too many. */
  readonly name?: string;
  readonly problems: ProjectionRefusal["problems"];
};

/** Without `fallback`, a schema that does not fit refuses the bundle. */
export function projectBundle(
  schemas: readonly BundledSchema[],
  profile: Profile,
  fallback?: Profile,
): Result<Bundle, BundleRefusal> {
  if (schemas.length > MAX_BUNDLED_SCHEMAS) {
    const message = `A request with ${schemas.length} schemas is too large (at most ${MAX_BUNDLED_SCHEMAS}).`;
    return refuse({ reason: "too_many", problems: [{ pointer: "", message }] });
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
    const second = fallback && projectSchema(schema.model, fallback);
    if (!second?.ok) {
      const { reason, problems } = found.refusal;
      return refuse({ reason, name: schema.name, problems });
    }
    const reason = found.refusal.problems.map(({ message }) => message).join(" ");
    placed.set(schema, { name: schema.name, profile: fallback!, reason, projection: second.value });
  }
  return ok({
    schemas: schemas.map((schema) => placed.get(schema)!),
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
  readonly #taken = { strictTools: 0, optionalProperties: 0, unions: 0 };
  readonly #profile: Profile;

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  place({ name, model }: BundledSchema): Result<BundledProjection, ProjectionRefusal> {
    const { budgets, provider } = this.#profile;
    const most = budgets.request?.maxStrictTools?.value;
    if (most !== undefined && this.#taken.strictTools >= most) {
      const message = `${provider} allows ${most} strict schemas in one request.`;
      return refuse({ reason: "impossible", problems: [{ pointer: "", message }] });
    }
    const projected = projectSchema(model, this.#profile, { budget: this.#left() });
    if (!projected.ok) return projected;
    const { measure } = projected.value;
    this.#taken.strictTools += 1;
    this.#taken.optionalProperties += measure.optionalProperties;
    this.#taken.unions += measure.unions;
    return ok({ name, profile: this.#profile, projection: projected.value });
  }

  #left(): RequestBudget {
    const { optionalProperties, unions } = requestBudget(this.#profile);
    return {
      ...(optionalProperties === undefined
        ? {}
        : { optionalProperties: optionalProperties - this.#taken.optionalProperties }),
      ...(unions === undefined ? {} : { unions: unions - this.#taken.unions }),
    };
  }

  warnings(): string[] {
    const { budgets, provider } = this.#profile;
    const prudent = budgets.request?.prudentOptionalProperties;
    if (prudent === undefined || this.#taken.optionalProperties <= prudent.value) return [];
    const { optionalProperties } = this.#taken;
    return [
      `The request has ${optionalProperties} optional properties; ${provider} has been observed to fail above ${prudent.value}, although its limit is higher.`,
    ];
  }
}
