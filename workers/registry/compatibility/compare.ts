/** Compares schemas, registered or not, and shows differences in a role's words with witnesses. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import { policyProblem, tooComplexRefusal } from "../../../registry/comparison-refusal.ts";
import { type Closure, type RequestedReference, type SchemaRecord, schemaNotFound } from "../../../registry/record.ts";
import { MAX_ANSWER_BYTES } from "../../../registry/rpc.ts";
import type { ComparedDifferences, CompareOptions, Comparison, Difference } from "../../../schema/compatibility.ts";
import { computeVerdictInSlices, type VerdictOptions } from "../../../schema/facts.ts";
import type { FormatName, JsonDialect, ParseResult, SchemaProblem, SchemaSource } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import type { Plan } from "../../../schema/plan.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { differencesForRole, type Role } from "../../../schema/rules/roles.ts";
import { applyOverrides, type DecidedBy, type RuleBook } from "../../../schema/rules/rule-book.ts";
import type { Sliced } from "../../../schema/slices.ts";
import { DEFAULT_WITNESS_ATTEMPTS, type Witness } from "../../../schema/witness.ts";
import type { Edge } from "../../edge.ts";
import { NATIVE_DIALECT } from "../native-dialect.ts";
import { isId } from "../read/read.ts";
import { compareClosures, parseWithReferences, sourceOfClosure } from "../write/facts.ts";
import { invalidSchema, tooComplex } from "./check.ts";

/** A schema to compare. `closure` is known for registered ones, whose verdicts are cached. */
export type Comparable = {
  format: FormatName;
  source: SchemaSource;
  dialect: JsonDialect | null;
  closure: Closure | null;
  /** Warnings about a schema sent with this request. */
  warnings?: readonly SchemaProblem[];
};

type InlineSchema = {
  format: FormatName;
  text: string;
  references: readonly RequestedReference[];
  /** For a JSON Schema without `$schema`; undefined for the native default. */
  dialect?: JsonDialect | undefined;
};
export type SchemaSide = { id: string } | InlineSchema;

/** A difference as shown to users: with the role's sides, and a witness if one was found. */
export type ShownDifference = Difference & {
  decided_by?: DecidedBy;
  affected?: string;
  caused_by?: string;
  witness?: Witness;
};

/** The rules of a comparison: policy, role and custom rules. */
export type Judgement = CompareOptions & { role: Role | null; book: RuleBook };

/** Witnesses cost candidate data and validations, so only the first breaking differences of a response get one. */
export const MAX_WITNESSES = 10;
/** JSON size limit for the differences of one direction, including their witnesses. */
export const MAX_SHOWN_DIFFERENCE_BYTES = (MAX_ANSWER_BYTES * 3) / 8;
/** A fixed seed, so the same request gets the same witnesses. */
const WITNESS_SEED = 1;

export async function comparableSide(
  edge: Edge,
  side: SchemaSide,
  context: string,
): Promise<Result<Comparable, Refusal>> {
  if (!("id" in side)) return inlineSide(edge, side, context);
  if (!isId(side.id)) return refuse(schemaNotFound(side.id));
  const answer = await edge.primary.read("contentOf", { id: side.id });
  if (!answer.ok) return answer;
  if (answer.value.value === null) return refuse(schemaNotFound(side.id));
  const { content, closure } = answer.value.value;
  return registeredSide(edge, content, closure);
}

/** The side of a registered schema. */
export async function registeredSide(
  edge: Edge,
  { format, dialect }: Pick<SchemaRecord, "format" | "dialect">,
  closure: Closure,
): Promise<Result<Comparable, Refusal>> {
  const source = await sourceOfClosure(edge, closure);
  if (source === undefined)
    return refuse(makeRefusal("SCHEMA_TEXT_NOT_FOUND", [], "The schema was permanently deleted a moment ago."));
  return ok({ format, source, dialect, closure });
}

/** The side of a schema that is only in this request; it must be valid. */
export async function inlineSide(
  edge: Edge,
  { format, text, references, dialect = NATIVE_DIALECT }: InlineSchema,
  context: string,
): Promise<Result<Comparable, Refusal>> {
  const read = await parseWithReferences(edge, {
    name: { context },
    format,
    text,
    references,
    deleted: false,
    strictness: "new",
    defaultDialect: dialect,
  });
  if (!read.ok) return read;
  const { parsed, source } = read.value;
  if (parsed.ok) {
    const { warnings } = parsed.value;
    return ok({ format, source, dialect, closure: null, warnings });
  }
  return parsed.refusal.reason === "too_complex"
    ? refuse(tooComplex(parsed.refusal.problems))
    : refuse(invalidSchema(parsed.refusal.problems));
}

/** Whether two schemas have the same canonical text. */
export async function isSameText({ work }: Edge, a: Comparable, b: Comparable): Promise<boolean> {
  if (a.format !== b.format) return false;
  const textOf = async (side: Comparable) => {
    const parsed = await work.run(parseSide(side));
    return parsed.ok ? formatNamed(side.format).canonicalText(parsed.value.model) : undefined;
  };
  const [one, other] = [await textOf(a), await textOf(b)];
  return one !== undefined && one === other;
}

/**
 * The differences after the rules, and `lasting`: the same without exceptions, because an exception allows a break
 * without making it compatible.
 */
type Compared = {
  differences: readonly Difference[];
  lasting: readonly Difference[];
  /** The total number of differences, listed or not. */
  total: number;
  /** What the writer's users must do to use the reader, for artefacts. */
  plan?: Plan;
};

export async function compareSides(
  edge: Edge,
  reader: Comparable,
  writer: Comparable,
  { policy, writers, role, book }: Judgement,
): Promise<Result<Compared, Refusal>> {
  if (reader.format !== writer.format) {
    return ok({ differences: [DIFFERENT_FORMAT], lasting: [DIFFERENT_FORMAT], total: 1 });
  }
  const unsupported = policyProblem(policy, formatNamed(reader.format));
  if (unsupported) return refuse(unsupported);
  const options: VerdictOptions = { policy, writers, role, rules: book.rules };
  const isRegistered = reader.closure !== null && writer.closure !== null;
  if (!isRegistered) edge.spendComparison(reader.source.text.length + writer.source.text.length);
  const compared: Result<Comparison, Refusal> =
    reader.closure && writer.closure
      ? await compareClosures(
          edge,
          reader.format,
          { closure: reader.closure, dialect: reader.dialect },
          { closure: writer.closure, dialect: writer.dialect },
          options,
        )
      : ok(await edge.work.run(computeVerdictInSlices(formatNamed(reader.format), reader, writer, options)));
  if (!compared.ok) return compared;
  const { value: comparison } = compared;
  if (comparison.ok) return ok(ruledBy(book, comparison.value, edge.now()));
  return refuse(tooComplexRefusal(comparison.refusal));
}

/** Applies a rule book to a verdict's differences; its CEL rules have already been evaluated. */
export function ruledBy(book: RuleBook, comparison: ComparedDifferences, nowMs: number): Compared {
  const ruled = applyOverrides(comparison, book, nowMs);
  const lasting = book.exceptions.length === 0 ? ruled : applyOverrides(comparison, { ...book, exceptions: [] }, nowMs);
  const total = Math.max(ruled.length, comparison.differences_total ?? 0);
  return { differences: ruled, lasting, total, ...(comparison.plan === undefined ? {} : { plan: comparison.plan }) };
}

/** Differences in the role's words, the first breaking ones with a witness. `left` counts the witnesses still allowed. */
export async function shownDifferences(
  { work }: Pick<Edge, "work">,
  reader: Comparable,
  writer: Comparable,
  differences: readonly Difference[],
  { writers, role, left }: { writers: CompareOptions["writers"]; role: Role | null; left: { witnesses: number } },
): Promise<ShownDifference[]> {
  const breaking = differences.filter(({ severity }) => severity === "breaking").slice(0, left.witnesses);
  left.witnesses -= breaking.length;
  const witnesses = new Map<Difference, Witness>();
  if (breaking.length > 0 && reader.format === writer.format) {
    const format = formatNamed(reader.format);
    const readerModel = await work.run(parseSide(reader));
    const writerModel = await work.run(parseSide(writer));
    if (readerModel.ok && writerModel.ok) {
      const options = { seed: WITNESS_SEED, maxAttempts: DEFAULT_WITNESS_ATTEMPTS, writers };
      const found = await work.run(
        format.witnessesInSlices(readerModel.value.model, writerModel.value.model, breaking, options),
      );
      for (const [index, difference] of breaking.entries()) {
        const witness = found[index];
        if (witness) witnesses.set(difference, witness);
      }
    }
  }
  const worded = role === null ? differences : differencesForRole(differences, role);
  return worded.map((difference, index) => {
    const witness = witnesses.get(differences[index]!);
    return witness ? { ...difference, witness } : difference;
  });
}

function parseSide({ format, source, dialect }: Comparable): Sliced<ParseResult<unknown>> {
  return formatNamed(format).parseInSlices(source, {
    strictness: "stored",
    defaultDialect: dialect ?? NATIVE_DIALECT,
  });
}

/** The only difference between schemas of different formats. */
export const DIFFERENT_FORMAT: Difference = {
  kind: "FORMAT_CHANGED",
  reader_pointer: "",
  writer_pointer: "",
  message: "The reader and the writer are schemas of different formats.",
  severity: "breaking",
  fix: "Register the schema under another subject.",
};
