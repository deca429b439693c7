/** Both engines on every version of the real schemas, references included. Prints the table of docs/validation.md. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AvroModel } from "../../../schema/avro/model.ts";
import type { FormatName, ResolvedReference } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import type { JsonSchemaModel } from "../../../schema/json/model.ts";
import type { ProtobufModel } from "../../../schema/protobuf/model.ts";
import { HISTORIES, hasCorpus } from "../../support/corpus.ts";
import { depReferences } from "../protobuf/corpus.ts";
import { type Compared, compareAvro, compareJson, compareProtobuf, nothingCompared } from "./comparison.ts";

const TIMEOUT_MS = 600_000;
/** Of the files of each format. */
const EXTENSIONS: Readonly<Record<string, FormatName>> = { json: "json-schema", avsc: "avro", proto: "protobuf" };

type Version = { history: string; format: FormatName; text: string };

const versions: Version[] = hasCorpus
  ? readdirSync(HISTORIES).flatMap((history) =>
      readdirSync(join(HISTORIES, history)).flatMap((file) => {
        const extension = /^\d+\.(\w+)$/.exec(file)?.[1];
        const format = extension === undefined ? undefined : EXTENSIONS[extension];
        return format === undefined
          ? []
          : [{ history, format, text: readFileSync(join(HISTORIES, history, file), "utf8") }];
      }),
    )
  : [];

/** Facets of OpenLineage reference versions of its core schema. */
function coreReferences(): ResolvedReference[] {
  return versions
    .filter(({ history }) => history === "openlineage-core")
    .map(({ text }) => {
      const { $id } = JSON.parse(text) as { $id: string };
      return { name: $id, subject: $id, version: 1, source: { text, references: [] } };
    });
}

/** The models of a format's versions, with those that the registry would refuse left out. */
function modelsOf(format: FormatName, references: readonly ResolvedReference[]): { history: string; model: unknown }[] {
  return versions.flatMap((version) => {
    if (version.format !== format) return [];
    const source = { text: version.text, references };
    const parsed = formatNamed(format).parse(source, { strictness: "stored", defaultDialect: "2020-12" });
    return parsed.ok ? [{ history: version.history, model: parsed.value.model }] : [];
  });
}

/** A row of the table in docs/validation.md. */
function report(name: string, { schemas, compiled, data, accepted, left, wronglyAccepted }: Compared): void {
  const cells = [name, schemas, compiled, data, accepted, left, wronglyAccepted.length];
  console.log(`| ${cells.join(" | ")} |`);
}

describe.skipIf(!hasCorpus)("the engines on every version of the real schemas", () => {
  it("agree about JSON", { timeout: TIMEOUT_MS }, () => {
    const compared = nothingCompared();
    for (const [index, { model }] of modelsOf("json-schema", coreReferences()).entries()) {
      compareJson(compared, model as JsonSchemaModel, index);
    }

    report("JSON Schema", compared);
    expect(compared.wronglyAccepted).toEqual([]);
    expect(compared.accepted).toBeGreaterThan(0);
  });

  it("agree about Avro, as values and as bytes", { timeout: TIMEOUT_MS }, () => {
    const compared = { value: nothingCompared(), bytes: nothingCompared() };
    for (const [index, { model }] of modelsOf("avro", []).entries()) compareAvro(compared, model as AvroModel, index);

    for (const [form, one] of Object.entries(compared)) {
      report(`Avro, ${form}`, one);
      expect(one.wronglyAccepted).toEqual([]);
      expect(one.accepted).toBeGreaterThan(0);
    }
  });

  it("agree about Protobuf", { timeout: TIMEOUT_MS }, () => {
    const compared = nothingCompared();
    for (const [index, { model }] of modelsOf("protobuf", depReferences()).entries()) {
      compareProtobuf(compared, model as ProtobufModel, index);
    }

    report("Protobuf", compared);
    expect(compared.wronglyAccepted).toEqual([]);
    expect(compared.accepted).toBeGreaterThan(0);
  });
});
