import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ERRORS } from "../../contract/errors.ts";
import published from "../../contract/openapi.json";
import { MAX_OVERLAP_SECONDS } from "../../durable-objects/directory/protocol.ts";
import { MAX_GRANTS, MAX_NAME_CHARACTERS } from "../../registry/grant.ts";
import { openapiJson, openapiTypes } from "../../scripts/openapi.ts";

type Operation = {
  operationId: string;
  tags: string[];
  parameters?: ({ $ref: string } | { name: string; in: string })[];
  responses: Record<string, unknown>;
};

const document = published as unknown as {
  tags: { name: string }[];
  paths: Record<string, Record<string, unknown>>;
  components: Record<string, Record<string, unknown>>;
};
const METHODS = ["get", "post", "put", "patch", "delete"];
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => ({
    path,
    method,
    item: item as { parameters?: Operation["parameters"] },
    operation: item[method] as Operation,
  })),
);

describe("contract/openapi.json", () => {
  it("has the limits that only it enforces", () => {
    const { Grants, NewKey, Rotation } = document.components.schemas as Record<string, Record<string, unknown>>;

    expect(Grants).toMatchObject({ maxItems: MAX_GRANTS });
    expect(NewKey).toMatchObject({ properties: { name: { maxLength: MAX_NAME_CHARACTERS } } });
    expect(Rotation).toMatchObject({ properties: { overlap_seconds: { maximum: MAX_OVERLAP_SECONDS } } });
  });

  it("matches openapi.yaml", () => {
    const yaml = readFileSync(join(import.meta.dirname, "../../contract/openapi.yaml"), "utf8");

    expect(published).toEqual(JSON.parse(openapiJson(yaml)));
  });

  it("matches contract/openapi-types.ts", async () => {
    const types = readFileSync(join(import.meta.dirname, "../../contract/openapi-types.ts"), "utf8");

    expect(types === (await openapiTypes(JSON.stringify(published))), "run npm run openapi").toBe(true);
  });

  it("contains no value that the YAML cut off at a comma", () => {
    expect(JSON.stringify(published)).not.toMatch(/:null[,}]/);
  });

  it("resolves every reference", () => {
    const references = [...JSON.stringify(published).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference!);

    const lost = references.filter((reference) => {
      const [, components, kind, name] = reference.split("/");
      return components !== "components" || document.components[kind!]?.[name!] === undefined;
    });

    expect(references.length).toBeGreaterThan(100);
    expect(lost).toEqual([]);
  });

  it("uses every component it defines", () => {
    const text = JSON.stringify(published);
    const { securitySchemes: _, ...components } = document.components;
    const unused = Object.entries(components).flatMap(([kind, entries]) =>
      Object.keys(entries)
        .map((name) => `#/components/${kind}/${name}`)
        .filter((reference) => !text.includes(`"${reference}"`)),
    );

    expect(unused).toEqual([]);
  });

  it("gives every operation a unique id, a known tag and a response for any refusal", () => {
    const ids = operations.map(({ operation }) => operation.operationId);

    expect(new Set(ids).size).toBe(ids.length);
    for (const { operation } of operations) {
      expect(operation.operationId).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(document.tags.map(({ name }) => name)).toContain(operation.tags[0]);
      expect(operation.responses).toHaveProperty("default");
    }
  });

  it("declares every path parameter", () => {
    for (const { path, item, operation } of operations) {
      const held = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = [...(item.parameters ?? []), ...(operation.parameters ?? [])]
        .map((parameter) =>
          "$ref" in parameter
            ? (document.components.parameters![parameter.$ref.split("/").at(-1)!] as { name: string; in: string })
            : parameter,
        )
        .filter((parameter) => parameter.in === "path")
        .map(({ name }) => name);

      expect(declared.sort()).toEqual(held.sort());
    }
  });

  it("lists exactly the codes that a refusal may have", () => {
    const problem = document.components.schemas!.Problem as { properties: { code: { enum: string[] } } };

    expect([...problem.properties.code.enum].sort()).toEqual(
      [...new Set(Object.values(ERRORS).map(({ code }) => code))].sort(),
    );
  });
});
