import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import published from "../../contract/confluent.openapi.json";
import { ERRORS } from "../../contract/errors.ts";
import { confluentOpenapiJson } from "../../scripts/confluent-openapi.ts";
import { CONFLUENT_MEDIA_TYPES } from "../../workers/http/confluent/media-types.ts";

type Operation = {
  operationId: string;
  tags: string[];
  summary: string;
  parameters?: ({ $ref: string } | { name: string; in: string })[];
  responses: Record<string, { $ref?: string; content?: object }>;
};

const document = published as unknown as {
  tags: { name: string }[];
  paths: Record<string, Record<string, unknown> & { parameters?: Operation["parameters"] }>;
  components: Record<string, Record<string, unknown>>;
};
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  ["get", "post", "put", "delete"].flatMap((method) => {
    const operation = item[method] as Operation | undefined;
    return operation === undefined ? [] : [{ path, item, method, operation }];
  }),
);
const text = JSON.stringify(published);

describe("contract/confluent.openapi.json", () => {
  it("matches confluent.openapi.yaml", () => {
    const yaml = readFileSync(join(import.meta.dirname, "../../contract/confluent.openapi.yaml"), "utf8");

    expect(published, "run npm run openapi").toEqual(JSON.parse(confluentOpenapiJson(yaml)));
  });

  it("contains no value that the YAML cut off at a comma", () => {
    expect(text).not.toMatch(/:null[,}]/);
  });

  it("resolves every reference, and uses every component", () => {
    const references = new Set([...text.matchAll(/"\$ref":"#\/components\/([^"]+)"/g)].map(([, name]) => name!));
    const { securitySchemes: _, ...components } = document.components;
    const defined = Object.entries(components).flatMap(([kind, entries]) =>
      Object.keys(entries).map((name) => `${kind}/${name}`),
    );

    expect([...references].sort()).toEqual(defined.sort());
  });

  it("gives every operation a unique id, a known tag and a summary", () => {
    const ids = operations.map(({ operation }) => operation.operationId);

    expect(ids.length).toBeGreaterThan(50);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { operation } of operations) {
      expect(operation.operationId).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(document.tags.map(({ name }) => name)).toContain(operation.tags[0]);
      expect(operation.summary.length).toBeGreaterThan(5);
    }
  });

  it("declares every path parameter", () => {
    for (const { path, item, operation } of operations) {
      const declared = [...(item.parameters ?? []), ...(operation.parameters ?? [])]
        .map((parameter) =>
          "$ref" in parameter
            ? (document.components.parameters![parameter.$ref.split("/").at(-1)!] as { name: string; in: string })
            : parameter,
        )
        .filter((parameter) => parameter.in === "path");

      expect(declared.map(({ name }) => name).sort()).toEqual(
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort(),
      );
    }
  });

  it("has the same three media types for every body", () => {
    const bodies = [...text.matchAll(/"content":(\{"[^"]+":)/g)];
    const shared = Object.values(document.components.responses!) as { content?: object }[];
    const own = operations.flatMap(({ operation }) => Object.values(operation.responses));

    expect(bodies.length).toBeGreaterThan(50);
    for (const { content } of [...shared, ...own]) {
      if (content !== undefined) expect(Object.keys(content)).toEqual(CONFLUENT_MEDIA_TYPES);
    }
  });

  it("lists only codes that a refusal may have, and says what each means", () => {
    const known = new Set(Object.values(ERRORS).map(({ confluent }) => confluent.error_code));
    const errors = Object.entries(document.components.responses!).filter(([name]) => name.startsWith("Error_"));

    expect(errors.length).toBeGreaterThan(20);
    for (const [name, response] of errors) {
      for (const code of name.split("_").slice(1).map(Number)) expect(known, name).toContain(code);
      expect((response as { description: string }).description).not.toMatch(/: \./);
    }
  });
});
