/**
 * Facts: results of pure functions of contents, keyed by their inputs. They can be computed at the edge or in the primary
 * and never go stale.
 */

import {
  type CompareOptionsOf,
  type Comparison,
  type ComparisonRefusal,
  type Policy,
  toUndecidedDifference,
  type WriterAssumption,
} from "./compatibility.ts";
import { type ClosureHash, sha256Hex } from "./content-hash.ts";
import { boundedComparison } from "./difference-list.ts";
import type {
  FormatName,
  JsonDialect,
  ParseRefusal,
  ParseResult,
  SchemaFormat,
  SchemaProblem,
  SchemaSource,
  Strictness,
} from "./format.ts";
import type { Hashes } from "./hashes.ts";
import { ok, type Result, refuse } from "./result.ts";
import { type Role, weighForRole, weighsByItself } from "./rules/roles.ts";
import { applyRulesInSlices, type CompatibilityRule } from "./rules/rule-book.ts";
import { passesMicros, runAtOnce, type Sliced } from "./slices.ts";

/** How to read a text. `rawTextHash` is the hash of the text as received; references are identified by what they resolve to. */
export type ReadingRequest = {
  format: FormatName;
  rawTextHash: string;
  references: readonly { name: string; closure: ClosureHash }[];
  strictness: Strictness;
  dialect: JsonDialect;
  validateFields: boolean;
  normalise: boolean;
};

export type ParsedText = {
  /** The text to store: canonical, or normalised if requested. */
  text: string;
  /** Equal for contents that a lookup treats as the same, with references inlined (docs/confluent-compatibility.md). */
  equivalenceHash: string;
  /** Equal for two texts that differ only in an order without meaning, such as that of keys. */
  orderlessHash: string;
  topLevelNames: readonly string[];
  /** The schema's own dialect, else the requested one; null if the format has none. */
  dialect: JsonDialect | null;
  warnings: readonly SchemaProblem[];
};

export type Reading = Result<ParsedText, ParseRefusal>;

export type VerdictRequest = {
  reader: ClosureHash;
  writer: ClosureHash;
  /** The dialects of the two records; one text may be read in two. */
  readerDialect: JsonDialect | null;
  writerDialect: JsonDialect | null;
  policy: Policy;
  writers: WriterAssumption;
  /** The schemas' role, which raises the severity of some differences. */
  role?: Role | null;
  /** Custom rules applied after the policy. */
  rules?: readonly CompatibilityRule[];
};

type ReadingFact = { type: "reading"; key: string; reading: Reading };
export type VerdictFact = { type: "verdict"; key: string; comparison: Comparison };
export type Fact = ReadingFact | VerdictFact;

export function readingKey(request: ReadingRequest, codeVersion: number, hashes?: Hashes): string {
  const { format, rawTextHash, references, strictness, dialect, validateFields, normalise } = request;
  const closures = references.map(({ name, closure }) => [name, closure]);
  return sha256Hex(
    JSON.stringify([
      "reading",
      codeVersion,
      format,
      rawTextHash,
      closures,
      strictness,
      dialect,
      validateFields,
      normalise,
    ]),
    hashes,
  );
}

export function verdictKey(request: VerdictRequest, codeVersion: number, hashes?: Hashes): string {
  const { reader, writer, readerDialect, writerDialect, policy, writers, role = null, rules = [] } = request;
  // Rules may depend on any role. Without rules, roles that do not change severities share their verdicts.
  const weighing = rules.length > 0 || weighsByItself(role) ? role : null;
  const sides = [reader, readerDialect, writer, writerDialect];
  // No part contains a space. Without rules, which may be long, the key is not hashed: that would cost more than the lookup.
  const key = ["verdict", codeVersion, ...sides, policy, writers, weighing].join(" ");
  return rules.length === 0 ? key : sha256Hex(JSON.stringify([key, rules]), hashes);
}

/** Parses a text: the form to store and what lookups and checks need. */
export function computeReading(...args: Parameters<typeof computeReadingInSlices>): Reading {
  return runAtOnce(computeReadingInSlices(...args));
}

/** `computeReading` in slices, for callers that yield in between. */
export function* computeReadingInSlices(
  format: SchemaFormat<unknown>,
  source: SchemaSource,
  request: Omit<ReadingRequest, "rawTextHash" | "references">,
  hashes?: Hashes,
): Sliced<Reading> {
  const { strictness, dialect, validateFields, normalise } = request;
  const parsed = yield* format.parseInSlices(source, { strictness, defaultDialect: dialect, validateFields });
  if (!parsed.ok) return parsed;
  const { model, warnings } = parsed.value;
  const normalised = format.normalisedText(model);
  const passMicros = passesMicros(normalised.length);
  yield passMicros;
  const text = normalise ? normalised : format.canonicalText(model);
  yield passMicros;
  const equivalenceHash = sha256Hex(yield* equivalenceText(format, model, text), hashes);
  yield passMicros;
  const orderlessHash = sha256Hex(normalised, hashes);
  yield passMicros;
  return ok({
    text,
    equivalenceHash,
    orderlessHash,
    topLevelNames: format.topLevelNames?.(model) ?? [],
    dialect: format.dialect(model),
    warnings,
  });
}

/** Contents with inlined references are equivalent if their normalised texts are equal; formats that cannot inline compare stored texts. */
function* equivalenceText(format: SchemaFormat<unknown>, model: unknown, stored: string): Sliced<string> {
  const resolved = format.render?.(model, "resolved");
  if (resolved === undefined) return stored;
  yield passesMicros(resolved.length);
  const options = { strictness: "stored", defaultDialect: "2020-12" } as const;
  const inlined = yield* format.parseInSlices({ text: resolved, references: [] }, options);
  return inlined.ok ? format.normalisedText(inlined.value.model) : resolved;
}

/** Inputs of a comparison: policy and writer assumption, then role and rules. */
export type VerdictOptions<Model = unknown> = CompareOptionsOf<Model> & Pick<VerdictRequest, "role" | "rules">;

/** Compares stored contents. A text that no longer parses is reported as a difference, not thrown. */
export function computeVerdict(...args: Parameters<typeof computeVerdictInSlices>): Comparison {
  return runAtOnce(computeVerdictInSlices(...args));
}

/** One side of a comparison. `shared` is set if it takes part in several: it is parsed once, for the first of them. */
export type VerdictSide = {
  source: SchemaSource;
  dialect: JsonDialect | null;
  shared?: { parsed?: ParseResult<unknown> };
};

/** `computeVerdict` in slices, for callers that yield in between. */
export function* computeVerdictInSlices(
  format: SchemaFormat<unknown>,
  reader: VerdictSide,
  writer: VerdictSide,
  options: VerdictOptions,
): Sliced<Comparison> {
  const parsedReader = yield* parseSide(format, reader);
  const parsedWriter = yield* parseSide(format, writer);
  if (!parsedReader.ok || !parsedWriter.ok) {
    const [side, failed] = parsedReader.ok ? ["writer", parsedWriter] : ["reader", parsedReader];
    const reason = failed.ok ? "" : (failed.refusal.problems[0]?.message ?? "");
    return ok({
      differences: [
        {
          kind: "SCHEMA_UNREADABLE",
          reader_pointer: side === "reader" ? "" : null,
          writer_pointer: side === "writer" ? "" : null,
          message: `The ${side} schema cannot be read: ${reason}`,
          severity: "breaking",
        },
      ],
    });
  }
  return yield* judgeInSlices(
    format,
    { model: parsedReader.value.model, text: reader.source.text },
    { model: parsedWriter.value.model, text: writer.source.text },
    options,
  );
}

function* parseSide(
  format: SchemaFormat<unknown>,
  { source, dialect, shared }: VerdictSide,
): Sliced<ParseResult<unknown>> {
  if (shared?.parsed) return shared.parsed;
  const parsed = yield* format.parseInSlices(source, { strictness: "stored", defaultDialect: dialect ?? "2020-12" });
  if (shared) shared.parsed = parsed;
  return parsed;
}

/** The verdict between two parsed schemas: the policy's, adjusted by role and rules. */
export function judgeParsed<Model>(
  format: SchemaFormat<Model>,
  reader: { model: Model; text: string },
  writer: { model: Model; text: string },
  options: VerdictOptions<Model>,
): Comparison {
  return runAtOnce(judgeInSlices(format, reader, writer, options));
}

/** `judgeParsed` in slices. */
export function* judgeInSlices<Model>(
  format: SchemaFormat<Model>,
  reader: { model: Model; text: string },
  writer: { model: Model; text: string },
  { policy, writers, beside = [], role = null, rules = [] }: VerdictOptions<Model>,
): Sliced<Comparison> {
  const options = { policy, writers, beside };
  const compared = boundedComparison(yield* format.compareInSlices(reader.model, writer.model, options));
  // A budget that runs out never says "breaking": the structural policy decides, and the verdict says so.
  const decided =
    compared.ok || policy !== "semantic"
      ? compared
      : decidedByStrict(
          compared.refusal,
          yield* format.compareInSlices(reader.model, writer.model, { ...options, policy: "strict" }),
        );
  const comparison = withPlan(format, reader.model, writer.model, weighForRole(decided, role));
  if (rules.length === 0) return comparison;
  return yield* applyRulesInSlices(comparison, rules, {
    format: format.name,
    role,
    reader: schemaValue(reader.text),
    writer: schemaValue(writer.text),
  });
}

/** The formats of artefacts derive the plan from the differences before any custom rule. */
function withPlan<Model>(
  format: SchemaFormat<Model>,
  reader: Model,
  writer: Model,
  comparison: Comparison,
): Comparison {
  if (!format.plan || !comparison.ok) return comparison;
  return ok({ ...comparison.value, plan: format.plan(writer, reader, comparison.value.differences) });
}

/** The differences by `strict`, if it can decide, preceded by the one that reports that `strict` decided. */
function decidedByStrict(undecided: ComparisonRefusal, strict: Comparison): Comparison {
  if (!strict.ok) return refuse(undecided);
  const { differences, differences_total } = strict.value;
  return boundedComparison(
    ok({
      ...strict.value,
      differences: [toUndecidedDifference(undecided), ...differences],
      ...(differences_total === undefined ? {} : { differences_total: differences_total + 1 }),
    }),
  );
}

/** The schema as expressions see it: the JSON value, or the text of other formats. */
export function schemaValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
