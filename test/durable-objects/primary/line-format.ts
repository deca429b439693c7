import { type Comparison, type Difference, POLICIES } from "../../../schema/compatibility.ts";
import { VALID } from "../../../schema/data.ts";
import type { ParseResult, SchemaFormat, SchemaSource } from "../../../schema/format.ts";
import { ok } from "../../../schema/result.ts";

export type LineModel = { lines: string[]; source: SchemaSource };

/** A minimal format whose comparison results a test can choose: a schema is its lines. */
export function lineFormat(
  compare: (reader: LineModel, writer: LineModel) => Difference[] = () => [],
): SchemaFormat<unknown> & { compared: number } {
  const format: SchemaFormat<LineModel> & { compared: number } = {
    compared: 0,
    name: "avro",
    schemaType: "AVRO",
    codeVersion: 1,
    policies: POLICIES,
    *parseInSlices(source, options) {
      yield 1;
      return format.parse(source, options);
    },
    parse(source): ParseResult<LineModel> {
      if (source.text.includes("!")) {
        return {
          ok: false,
          refusal: {
            reason: "invalid",
            problems: [{ rule: "shouting", message: "No line may shout.", line: 1, column: 1 }],
          },
        };
      }
      const lines = source.text.split("\n").map((line) => line.trim());
      return { ok: true, value: { model: { lines, source }, warnings: [] } };
    },
    canonicalText: ({ lines }) => lines.join("\n"),
    normalisedText: ({ lines }) => [...lines].sort().join("\n"),
    equivalent: (a, b) => a.lines.join() === b.lines.join(),
    render: () => undefined,
    bundle: ({ lines }) => ok(lines.join("\n")),
    fields: () => [],
    topLevelNames: ({ lines }) => lines,
    dialect: () => null,
    editTags: (text) => text,
    data: {
      validate: () => ok(VALID),
      encode: () => ok(new Uint8Array()),
      decode: () => ok({ value: null, warnings: [] }),
    },
    compare(reader, writer): Comparison {
      format.compared += 1;
      return { ok: true, value: { differences: compare(reader, writer) } };
    },
    *compareInSlices(reader, writer, options) {
      yield 1;
      return format.compare(reader, writer, options);
    },
    *witnessesInSlices() {
      yield 1;
      return [];
    },
    confluentLine: ({ kind }) => kind,
    witnesses: () => [],
  };
  return format as SchemaFormat<unknown> & { compared: number };
}

export const BREAKING: Difference = {
  kind: "LINE_CHANGED",
  reader_pointer: "/0",
  writer_pointer: "/0",
  message: "The first line changed.",
  severity: "breaking",
};
