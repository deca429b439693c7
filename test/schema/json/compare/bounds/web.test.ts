import { describe, expect, it } from "vitest";
import { compareJsonSchemas } from "../../../../../schema/json/compare/compare.ts";
import { parseJsonSchema } from "../../../../../schema/json/parse/parse.ts";
import { Random } from "../../../../../schema/random.ts";

type Members = { [keyword: string]: unknown };

const TYPES = 300;
const ALTERNATIVES = 60;

/**
 * Hundreds of types that reference each other, a fifth of them alternatives distinguished by a constant: the form of
 * large standards.
 */
function web(change: (definitions: { [name: string]: { properties: Members } }) => void) {
  const random = new Random(5);
  const reference = () => ({ $ref: `#/definitions/D${random.integer(0, TYPES - 1)}` });
  const definitions: { [name: string]: { properties: Members } } = {};
  for (let index = 0; index < TYPES; index += 1) {
    const isAlternative = index < ALTERNATIVES;
    const properties: Members = isAlternative
      ? { kind: { const: `T${index}` }, contained: { type: "array", items: ANY } }
      : {};
    for (let count = 0; count < 15; count += 1) {
      const kind = random.next();
      properties[`p${count}`] =
        kind < 0.5
          ? reference()
          : kind < 0.7
            ? { type: "array", items: reference() }
            : { type: "string", pattern: "^[a-z]+$" };
    }
    const required = isAlternative ? { required: ["kind"] } : {};
    Object.assign(definitions, {
      [`D${index}`]: { type: "object", properties, additionalProperties: false, ...required },
    });
  }
  change(definitions);
  const any = { oneOf: Array.from({ length: ALTERNATIVES }, (_, index) => ({ $ref: `#/definitions/D${index}` })) };
  return { $ref: "#/definitions/any", definitions: { ...definitions, any } };
}

const ANY = { $ref: "#/definitions/any" };

function modelOf(schema: unknown) {
  const parsed = parseJsonSchema(
    { text: JSON.stringify(schema), references: [] },
    { strictness: "stored", defaultDialect: "draft-07" },
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal.problems).slice(0, 300));
  return parsed.value.model;
}

const before = modelOf(web(() => {}));
const wider = modelOf(
  web(({ D9 }) => {
    D9!.properties.p0 = { type: ["string", "integer"] };
  }),
);
const withMore = modelOf(
  web(({ D7 }) => {
    D7!.properties.more = { type: "string" };
  }),
);

function verdict(reader: typeof before, writer: typeof before, policy: "strict" | "lenient" | "semantic"): string[] {
  const comparison = compareJsonSchemas(reader, writer, { policy, writers: "declared" });
  if (!comparison.ok) throw new Error(comparison.refusal.message);
  return comparison.value.differences.filter(({ severity }) => severity === "breaking").map(({ kind }) => kind);
}

describe("compareJsonSchemas on a web of types", () => {
  it("finds exactly the one difference, at any location, under the semantic policy", () => {
    const original = modelOf(
      web(({ D9 }) => {
        D9!.properties.p0 = { type: "string" };
      }),
    );

    expect(verdict(wider, original, "semantic")).toEqual([]);
    expect(verdict(original, wider, "semantic")).toEqual(["TYPE_NARROWED"]);
    expect(verdict(withMore, before, "semantic")).toEqual([]);
    expect(verdict(before, withMore, "semantic")).toEqual(["PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL"]);
  });

  it.each(["strict", "lenient"] as const)("decides it under %s", (policy) => {
    expect(verdict(before, before, policy)).toEqual([]);
    expect(verdict(withMore, before, policy)).toEqual([]);
    expect(verdict(before, withMore, policy).length > 0).toBe(policy === "strict");
  });
});
