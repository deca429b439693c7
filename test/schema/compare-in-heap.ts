/**
 * Run separately with little memory: parses, compares and proves each pair of Avro and Protobuf, and prints one line
 * each.
 */
import { formatNamed } from "../../schema/formats.ts";
import {
  type HostilePair,
  manyAvroBranches,
  manyAvroDefaults,
  manyAvroFields,
  manyAvroRecords,
  manyFields,
  manyMaps,
  manyMessages,
} from "../support/hostile-schemas.ts";

export type HeapOutcome = { name: string; policy: string; total: number; witnesses: number };

const PAIRS: readonly (() => HostilePair)[] = [
  () => manyAvroFields(20_000),
  () => manyAvroRecords(10_000),
  () => manyAvroDefaults(12_000),
  () => manyAvroBranches(12_000),
  () => manyFields(33_000),
  () => manyMaps(15_000),
  () => manyMessages(14_000),
];

function compare({ name, format: formatName, writer, reader }: HostilePair): void {
  const format = formatNamed(formatName);
  const parse = (text: string) => {
    const parsed = format.parse({ text, references: [] }, { strictness: "new", defaultDialect: "2020-12" });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal));
    return parsed.value.model;
  };
  const [readerModel, writerModel] = [parse(reader), parse(writer)];
  for (const policy of format.policies) {
    const comparison = format.compare(readerModel, writerModel, { policy, writers: "declared" });
    if (!comparison.ok) throw new Error(JSON.stringify(comparison.refusal));
    const { differences, differences_total = differences.length } = comparison.value;
    const breaking = differences.filter(({ severity }) => severity === "breaking").slice(0, 10);
    const options = { seed: 1, maxAttempts: 200, writers: "declared" } as const;
    const witnesses = format.witnesses(readerModel, writerModel, breaking, options);
    const confirmed = witnesses.filter(({ status }) => status === "confirmed").length;
    const outcome: HeapOutcome = { name, policy, total: differences_total, witnesses: confirmed };
    console.log(JSON.stringify(outcome));
  }
}

for (const make of PAIRS) compare(make());
