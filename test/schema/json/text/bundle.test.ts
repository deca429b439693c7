import { describe, expect, it } from "vitest";
import type { JsonDialect, ResolvedReference } from "../../../../schema/format.ts";
import { JSON_DIALECTS } from "../../../../schema/json/parse/dialects.ts";
import { parseJsonSchema } from "../../../../schema/json/parse/parse.ts";
import { bundleJsonSchema } from "../../../../schema/json/text/bundle.ts";
import { validateInstance } from "../../../../schema/json/validate/validate.ts";
import { HAS_SUITE, suiteGroups, suiteRemotes } from "../validate/suite.ts";

function parse(
  schema: unknown,
  references: readonly ResolvedReference[] = [],
  defaultDialect: JsonDialect = "2020-12",
) {
  const text = typeof schema === "string" ? schema : JSON.stringify(schema);
  const parsed = parseJsonSchema({ text, references }, { strictness: "stored", defaultDialect });
  if (!parsed.ok) throw new Error(parsed.refusal.problems[0]?.message);
  return parsed.value.model;
}

function reference(name: string, schema: unknown, references: ResolvedReference[] = []): ResolvedReference {
  return { name, subject: name, version: 1, source: { text: JSON.stringify(schema), references } };
}

function bundle(...args: Parameters<typeof parse>): unknown {
  const bundled = bundleJsonSchema(parse(...args));
  return bundled.ok ? JSON.parse(bundled.value) : bundled.refusal.rule;
}

describe("bundleJsonSchema", () => {
  it("inlines direct and indirect references, once each", () => {
    const zip = reference("zip.json", { $defs: { code: { type: "string" } } });
    const address = reference("address.json", { properties: { zip: { $ref: "zip.json#/$defs/code" } } }, [zip]);
    const schema = { properties: { home: { $ref: "address.json" }, work: { $ref: "address.json" } } };

    expect(bundle(schema, [address, zip])).toEqual({
      properties: { home: { $ref: "#/$defs/address.json" }, work: { $ref: "#/$defs/address.json" } },
      $defs: {
        "address.json": { properties: { zip: { $ref: "#/$defs/zip.json/$defs/code" } } },
        "zip.json": { $defs: { code: { type: "string" } } },
      },
    });
  });

  it("separates definitions of the same name, and keeps values that look like references", () => {
    const schema = { $defs: { "a/b": true }, const: { $ref: "a/b" }, allOf: [{ $ref: "a/b" }] };

    expect(bundle(schema, [reference("a/b", { type: "string" })])).toEqual({
      $defs: { "a/b": true, "a/b_2": { type: "string" } },
      const: { $ref: "a/b" },
      allOf: [{ $ref: "#/$defs/a~1b_2" }],
    });
  });

  it("reports what a single text cannot express", () => {
    expect(bundle({ $dynamicRef: "#node", $dynamicAnchor: "node" })).toBe("dynamic_reference");
    const old = reference("old.json", { $schema: "http://json-schema.org/draft-07/schema#" });
    expect(bundle({ $ref: "old.json" }, [old])).toBe("dialect");
  });
});

describe.skipIf(!HAS_SUITE)("bundleJsonSchema on the official test suite", () => {
  const remotes = HAS_SUITE ? suiteRemotes() : [];

  it.each(JSON_DIALECTS)("changes no verdict of %s", (dialect) => {
    const changed: string[] = [];
    let bundled = 0;
    for (const group of suiteGroups(dialect).filter(({ kind }) => kind === "required")) {
      const result = bundleJsonSchema(parse(group.schema, remotes, dialect));
      if (!result.ok) continue;
      bundled += 1;
      const alone = parse(result.value, [], dialect);
      for (const test of group.tests) {
        const verdict = validateInstance(alone, test.data, { formats: false });
        if (!verdict.ok || verdict.value.valid !== test.valid) changed.push(`${group.file}: ${group.description}`);
      }
    }

    expect([...new Set(changed)]).toEqual([]);
    expect(bundled).toBeGreaterThan(100);
  });
});
