/** Verdicts on schemas that are loaded and parsed once, for requests that compare one schema many times. */

import type { Refusal } from "../../../contract/errors.ts";
import { policyProblem, tooComplexRefusal } from "../../../registry/comparison-refusal.ts";
import type { Closure, SchemaRecord } from "../../../registry/record.ts";
import {
  type ComparedDifferences,
  type Comparison,
  type Difference,
  isCompatible,
} from "../../../schema/compatibility.ts";
import { computeVerdictInSlices, judgeInSlices, type VerdictOptions } from "../../../schema/facts.ts";
import type { FormatName, JsonDialect, ParseResult, SchemaSource } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { buildSource } from "../../../schema/sources.ts";
import type { Edge } from "../../edge.ts";
import { NATIVE_DIALECT } from "../native-dialect.ts";
import type { RequestWork } from "../turns.ts";
import { loadTexts } from "../write/facts.ts";
import { type Comparable, DIFFERENT_FORMAT } from "./compare.ts";

/** A schema that is parsed at most once. */
export class HeldSchema implements Comparable {
  readonly closure = null;
  #parsed: ParseResult<unknown> | undefined;
  #characters: number | undefined;

  readonly format: FormatName;
  readonly source: SchemaSource;
  readonly dialect: JsonDialect | null;

  constructor(format: FormatName, source: SchemaSource, dialect: JsonDialect | null, parsed?: ParseResult<unknown>) {
    this.format = format;
    this.source = source;
    this.dialect = dialect;
    this.#parsed = parsed;
  }

  async parse(work: RequestWork): Promise<ParseResult<unknown>> {
    const options = { strictness: "stored", defaultDialect: this.dialect ?? NATIVE_DIALECT } as const;
    this.#parsed ??= await work.run(formatNamed(this.format).parseInSlices(this.source, options));
    return this.#parsed;
  }

  /** Characters of its text and of all distinct texts it reaches: the cost of parsing it. */
  get characters(): number {
    if (this.#characters === undefined) {
      const reached = new Set([this.source]);
      this.#characters = 0;
      for (const source of reached) {
        this.#characters += source.text.length;
        for (const reference of source.references) reached.add(reference.source);
      }
    }
    return this.#characters;
  }
}

/** What a comparison costs its request and its tenant. */
export type Comparing = Pick<Edge, "work" | "spendComparison">;

type Judged = Result<ComparedDifferences, Refusal>;

/** The verdict on a pair under policy, role and CEL rules; `beside` are the other files of the reader's module. */
export async function judge(
  edge: Comparing,
  reader: HeldSchema,
  writer: HeldSchema,
  options: VerdictOptions,
  beside: readonly HeldSchema[] = [],
): Promise<Judged> {
  if (reader.format !== writer.format) return ok({ differences: [DIFFERENT_FORMAT] });
  const unsupported = policyProblem(options.policy, formatNamed(reader.format));
  if (unsupported) return refuse(unsupported);
  const format = formatNamed(reader.format);
  edge.spendComparison(reader.source.text.length + writer.source.text.length);
  const readerParsed = await reader.parse(edge.work);
  const writerParsed = await writer.parse(edge.work);
  const judging =
    readerParsed.ok && writerParsed.ok
      ? judgeInSlices(
          format,
          { model: readerParsed.value.model, text: reader.source.text },
          { model: writerParsed.value.model, text: writer.source.text },
          { ...options, beside: await parseModels(edge.work, reader.format, beside) },
        )
      : computeVerdictInSlices(format, reader, writer, options);
  return decided(await edge.work.run(judging));
}

async function parseModels(work: RequestWork, format: FormatName, schemas: readonly HeldSchema[]): Promise<unknown[]> {
  const models: unknown[] = [];
  for (const schema of schemas) {
    if (schema.format !== format) continue;
    const parsed = await schema.parse(work);
    if (parsed.ok) models.push(parsed.value.model);
  }
  return models;
}

/** The differences, or a refusal if the pair is too complex. */
export function decided(comparison: Comparison): Judged {
  if (comparison.ok) return ok({ ...comparison.value });
  return refuse(tooComplexRefusal(comparison.refusal));
}

/** Counts of a direction's differences. */
export type Tally = { compatible: boolean; breaking: number; warnings: number };

export function countDifferences(differences: readonly Difference[]): Tally {
  const count = (severity: Difference["severity"]) =>
    differences.filter((difference) => difference.severity === severity).length;
  return { compatible: isCompatible(differences), breaking: count("breaking"), warnings: count("warning") };
}

/** The closures of records, in order; undefined if deleted or too large. */
async function readClosures(
  edge: Edge,
  records: readonly SchemaRecord[],
): Promise<Result<(Pick<Closure, "root" | "nodes"> | undefined)[], Refusal>> {
  const known = new Map<SchemaRecord, Pick<Closure, "root" | "nodes"> | null>();
  for (const record of records) {
    const { contentHash, references } = record;
    if (references.length === 0) known.set(record, { root: contentHash, nodes: [{ contentHash, references: [] }] });
  }
  const open = records.filter((record) => !known.has(record));
  for (let at = 0; at < open.length; ) {
    const of = open.slice(at).map(({ contentHash, context }) => ({ contentHash, context }));
    const answer = await edge.primary.read("closures", { of });
    if (!answer.ok) return answer;
    for (const closure of answer.value.value) {
      known.set(open[at]!, closure);
      at += 1;
    }
  }
  return ok(records.map((record) => known.get(record) ?? undefined));
}

/** Loads registered schemas for comparison; undefined if a text was deleted. */
export async function holdRecords(
  edge: Edge,
  records: readonly SchemaRecord[],
): Promise<Result<(HeldSchema | undefined)[], Refusal>> {
  const closures = await readClosures(edge, records);
  if (!closures.ok) return closures;
  const hashes = closures.value.flatMap((closure) => closure?.nodes.map(({ contentHash }) => contentHash) ?? []);
  const texts = await loadTexts(edge, hashes);
  const plain = new Map([...texts].map(([hash, { text }]) => [hash, text]));
  return ok(
    records.map(({ format, dialect }, index) => {
      const closure = closures.value[index];
      const source = closure && buildSource(closure.root, closure.nodes, plain);
      return source && new HeldSchema(format, source, dialect);
    }),
  );
}
