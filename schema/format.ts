/**
 * The interface of schema formats and its plain values. Everything is pure: no clock, I/O or bindings. Models may share
 * structure and are never mutated.
 */

import type { CompareOptionsOf, Comparison, Difference, Policy } from "./compatibility.ts";
import type { DataOperations } from "./data.ts";
import type { Plan } from "./plan.ts";
import type { Result } from "./result.ts";
import type { Sliced } from "./slices.ts";
import type { EditTags } from "./tags.ts";
import type { Witness, WitnessOptions } from "./witness.ts";

/** Formats of the Confluent contract. */
const CONFLUENT_FORMAT_NAMES = ["json-schema", "avro", "protobuf"] as const;
/** Artefacts of LLM systems: JSON made of parts, each with a JSON Schema (parts.ts). The Confluent API never shows one. */
const ARTEFACT_NAMES = ["prompt", "tool", "model-signature", "collection", "dataset", "evaluation"] as const;
export const FORMAT_NAMES = [...CONFLUENT_FORMAT_NAMES, ...ARTEFACT_NAMES] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

export function isArtefact(format: FormatName): boolean {
  return (ARTEFACT_NAMES as readonly string[]).includes(format);
}

/** Parts of artefacts are JSON Schemas, and artefacts use each other: a prompt names its tools. */
export function mayReference(from: FormatName, to: FormatName): boolean {
  return from === to || (isArtefact(from) && (to === "json-schema" || isArtefact(to)));
}

/** How the Confluent contract spells a format. */
type SchemaType = "JSON" | "AVRO" | "PROTOBUF";

/** A schema reference; `version` is the concrete 1-based number in `subject`. */
export type SchemaReference = { name: string; subject: string; version: number };

/** A reference with the source it resolves to. Sources may be shared (a DAG). */
export type ResolvedReference = SchemaReference & { source: SchemaSource };

/** A schema text and the closure of its references: the only input of parsing. */
export type SchemaSource = { text: string; references: readonly ResolvedReference[] };

/** A reason why a text is not a valid schema, or a warning. Lines and columns count from 1. */
export type SchemaProblem = {
  /** snake_case name of the rule, stable for clients to match on. */
  rule: string;
  /** What is wrong and what would be accepted, in one sentence. */
  message: string;
  /** JSON pointer into the schema, for JSON texts. */
  pointer?: string;
  line?: number;
  column?: number;
};

export type JsonDialect = "draft-04" | "draft-06" | "draft-07" | "2019-09" | "2020-12";

/**
 * How strictly a text is checked. `new` checks everything. `confluent` is for new texts through the Confluent API and
 * accepts what the Confluent server stores without understanding it. `stored` reads what an earlier build or another
 * registry accepted (names and defaults unchecked).
 */
export type Strictness = "new" | "confluent" | "stored";

export type ParseOptions = {
  strictness: Strictness;
  /** The dialect of a JSON Schema without `$schema`. Other formats ignore it. */
  defaultDialect: JsonDialect;
  /** Confluent `validateFields`: stricter checks of top-level field names. */
  validateFields?: boolean;
};

/** `too_complex`: exceeds a limit on depth, size or work; `invalid`: breaks a rule of the format. */
export type RefusalReason = "invalid" | "too_complex";

export type ParseRefusal = { reason: RefusalReason; problems: readonly SchemaProblem[] };

/** A refusal of one text, which ends at the first problem. */
export type TextRefusal = { reason: RefusalReason; problem: SchemaProblem };

export type ParseResult<Model> = Result<{ model: Model; warnings: readonly SchemaProblem[] }, ParseRefusal>;

/** One field of a schema in a form shared by all formats, for search and lineage. */
export type SchemaField = {
  /** Dotted path from the root; `[]` marks array items, `{}` map values: `user.emails[].address`. */
  path: string;
  /** The field's type in the format's terms: `string`, `array`, `com.example.User`, `int32`. */
  type: string;
  documentation: string | null;
  required: boolean;
};

/** Inline tags of one entity, in the Confluent spelling. */
export type EntityTags = { entityPath: string; entityType: "sr_record" | "sr_field"; tags: readonly string[] };

/** What only the formats of the Confluent contract have. */
interface ConfluentOperations<Model> {
  readonly schemaType: SchemaType;
  /** Whether a lookup treats two schemas as the same, apart from metadata and rule set. */
  equivalent(a: Model, b: Model): boolean;
  /** The text in another view (`resolved`, `serialized`, `ignore_extensions`), or undefined if the format lacks it. */
  render(model: Model, view: string): string | undefined;
  /** Names of top-level fields, for reserved-field checks. */
  topLevelNames(model: Model): string[];
  /** The text with its inline tags edited: `edit` gets each record and field in order and returns its tags. */
  editTags(text: string, edit: EditTags): string;
  /** The difference as one line of a verbose Confluent compatibility answer. */
  confluentLine(difference: Difference): string;
}

export type ConfluentFormat<Model> = SchemaFormat<Model> & ConfluentOperations<Model>;

/**
 * The operations of a format. They are methods rather than function properties, which makes parameters bivariant, so a
 * `SchemaFormat<AvroModel>` can be in a list of `SchemaFormat<unknown>`. Code outside `schema/<format>/` only sees that
 * type: a model is only passed back to the format that parsed it.
 */
export interface SchemaFormat<Model> extends Partial<ConfluentOperations<Model>> {
  readonly name: FormatName;
  /** Raised when the same input may produce different output, because results are cached under it. */
  readonly codeVersion: number;
  /** The compatibility policies this format supports. */
  readonly policies: readonly Policy[];

  parse(source: SchemaSource, options: ParseOptions): ParseResult<Model>;
  /** `parse` in slices, for callers that yield in between. */
  parseInSlices(source: SchemaSource, options: ParseOptions): Sliced<ParseResult<Model>>;
  /** The text that equal schemas share. Idempotent. */
  canonicalText(model: Model): string;
  /** The text under `normalize=true`. */
  normalisedText(model: Model): string;
  /** A self-contained text: JSON Schema and Avro in their own form, Protobuf as a FileDescriptorSet in base64. */
  bundle(model: Model): Result<string, SchemaProblem>;
  fields(model: Model): SchemaField[];
  /** The dialect the schema was read in, null if the format has none. */
  dialect(model: Model): JsonDialect | null;

  /** Validating, encoding and decoding values. */
  readonly data: DataOperations<Model>;

  /** All relevant differences when `reader` reads what `writer` wrote. */
  compare(reader: Model, writer: Model, options: CompareOptionsOf<Model>): Comparison;
  /** `compare` in slices. */
  compareInSlices(reader: Model, writer: Model, options: CompareOptionsOf<Model>): Sliced<Comparison>;
  /** What users of an artefact must do when `next` replaces `previous`, by the differences between the two. */
  plan?(previous: Model, next: Model, differences: readonly Difference[]): Plan;
  /** For each difference, in order: a confirmed datum that `writer` can produce and `reader` refuses, or why none was found. */
  witnesses(reader: Model, writer: Model, differences: readonly Difference[], options: WitnessOptions): Witness[];
  /** `witnesses` in slices. */
  witnessesInSlices(
    reader: Model,
    writer: Model,
    differences: readonly Difference[],
    options: WitnessOptions,
  ): Sliced<Witness[]>;
}
