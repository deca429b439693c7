/** Run as a separate process with little memory: compares every pair and prints a line for each. */
import type { WriterAssumption } from "../../../../../schema/compatibility.ts";
import { compareInSlices } from "../../../../../schema/json/compare/compare.ts";
import { parseJsonSchema } from "../../../../../schema/json/parse/parse.ts";
import { witnessesInSlices } from "../../../../../schema/json/witness/witness.ts";
import type { Sliced } from "../../../../../schema/slices.ts";
import { PAIRS } from "./pairs.ts";

export type Outcome = {
  readonly name: string;
  readonly verdict: "compatible" | "breaking" | "too complex";
  readonly pointer?: string;
  readonly listed: number;
  readonly total: number;
  readonly slices: number;
  readonly witnesses: number;
};

const writers = process.argv[2] as WriterAssumption;

function modelOf(text: string) {
  const parsed = parseJsonSchema({ text, references: [] }, { strictness: "stored", defaultDialect: "draft-07" });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal.problems).slice(0, 300));
  return parsed.value.model;
}

function finish<T>(sliced: Sliced<T>): { value: T; slices: number } {
  for (let slices = 1; ; slices += 1) {
    const { done, value } = sliced.next();
    if (done) return { value, slices };
  }
}

for (const { name, reader, writer } of PAIRS) {
  const models = { reader: modelOf(reader), writer: modelOf(writer) };
  const { value: comparison, slices } = finish(
    compareInSlices(models.reader, models.writer, { policy: "semantic", writers }),
  );
  const differences = comparison.ok ? comparison.value.differences : [];
  const breaking = differences.filter(({ severity }) => severity === "breaking");
  const options = { seed: 1, maxAttempts: 200, writers };
  const { value: witnesses } = finish(witnessesInSlices(models.reader, models.writer, breaking, options));
  const outcome: Outcome = {
    name,
    verdict: comparison.ok ? (breaking.length === 0 ? "compatible" : "breaking") : "too complex",
    ...(comparison.ok ? {} : { pointer: comparison.refusal.pointer }),
    listed: differences.length,
    total: (comparison.ok ? comparison.value.differences_total : undefined) ?? differences.length,
    slices,
    witnesses: witnesses.filter(({ status }) => status === "confirmed").length,
  };
  console.log(JSON.stringify(outcome));
}
