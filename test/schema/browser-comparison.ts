/**
 * What a browser and Node must compute identically: one pair of schemas per format, from its text to witnesses and
 * hashes.
 */
import { computeGuid, contentHash } from "../../schema/content-hash.ts";
import { computeReading, computeVerdict } from "../../schema/facts.ts";
import type { FormatName } from "../../schema/format.ts";
import { formatNamed } from "../../schema/formats.ts";

export const PAIRS: readonly { format: FormatName; reader: string; writer: string }[] = [
  {
    format: "json-schema",
    reader: JSON.stringify({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: { größe: { type: "integer", minimum: 5 }, color: { enum: ["red", "green"] } },
      required: ["größe"],
    }),
    writer: JSON.stringify({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: { größe: { type: "number", minimum: 3 }, color: { type: "string", pattern: "^[a-z]+$" } },
    }),
  },
  {
    format: "avro",
    reader: JSON.stringify({
      type: "record",
      name: "Order",
      fields: [
        { name: "id", type: "int" },
        { name: "state", type: { type: "enum", name: "State", symbols: ["NEW"] } },
        { name: "note", type: "string" },
      ],
    }),
    writer: JSON.stringify({
      type: "record",
      name: "Order",
      fields: [
        { name: "id", type: "long" },
        { name: "state", type: { type: "enum", name: "State", symbols: ["NEW", "PAID"] } },
        { name: "digest", type: { type: "fixed", name: "Digest", size: 16 } },
      ],
    }),
  },
  {
    format: "protobuf",
    reader: 'syntax = "proto3";\nmessage Order {\n  string id = 1;\n  sint64 total = 2;\n}\n',
    writer: 'syntax = "proto3";\nmessage Order {\n  bytes id = 1;\n  int64 total = 2;\n  string note = 3;\n}\n',
  },
];

export function answers(): unknown[] {
  return PAIRS.map(({ format: name, reader, writer }) => {
    const format = formatNamed(name);
    const contents = [reader, writer].map((text) => {
      const source = { text, references: [] };
      const reading = computeReading(format, source, {
        format: name,
        strictness: "new",
        dialect: "2020-12",
        validateFields: false,
        normalise: true,
      });
      if (!reading.ok) return { reading };
      const contract = { metadata: { tags: { "Order.id": ["PII"] } }, ruleSet: null };
      const content = { format: name, text: reading.value.text, references: [], contract };
      return { reading, contentHash: contentHash(content), guid: computeGuid(content) };
    });
    const [readerModel, writerModel] = [reader, writer].map((text) => {
      const parsed = format.parse({ text, references: [] }, { strictness: "new", defaultDialect: "2020-12" });
      return parsed.ok ? parsed.value.model : undefined;
    });
    const verdicts = (["strict", "semantic"] as const).map((policy) => {
      const side = (text: string) => ({ source: { text, references: [] }, dialect: "2020-12" as const });
      return computeVerdict(format, side(reader), side(writer), { policy, writers: "declared" });
    });
    const differences = verdicts.flatMap((verdict) => (verdict.ok ? verdict.value.differences : []));
    const witnesses = format.witnesses(readerModel, writerModel, differences, {
      seed: 1,
      maxAttempts: 200,
      writers: "declared",
    });
    return { format: name, contents, verdicts, witnesses };
  });
}
