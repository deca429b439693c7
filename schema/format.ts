/**
 * The interface every schema format implements, and the plain values it speaks in.
 * All of it is pure: no clock, no I/O, no bindings. Models may share structure and are never mutated.
 */
import type { CompareOptionsOf, Comparison, Difference, Policy } from "./compatibility.ts";
import type { Sliced } from "./slices.ts";
import type { EditTags } from "./tags.ts";
import type { Witness, WitnessOptions } from "./witness.ts";

export const FORMAT_NAMES = ["json-schema", "avro", "protobuf"] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

/** How the Confluent contract spells a format. */
export type SchemaType = "JSON" | "AVRO" | "PROTOBUF";

/** One schema using another: `version` is the concrete number in `subject`, 1-based. */
export type SchemaReference = { name: string; subject: string; version: number };

/** A reference together with what it resolves to. The same source may be shared by identity (a DAG). */
export type ResolvedReference = SchemaReference & { source: SchemaSource };

/** A schema text and the closure of what it references: everything parsing may look at. */
export type SchemaSource = { text: string; references: readonly ResolvedReference[] };

/** One reason why a text is no valid schema, or why it deserves a warning. Lines and columns count from 1. */
export type SchemaProblem = {
  /** snake_case name of the rule, stable for clients to match on. */
  rule: string;
  /** What is wrong and what would be accepted, one sentence. */
  message: string;
  /** JSON pointer into the schema, for JSON texts. */
  pointer?: string;
  line?: number;
  column?: number;
};

export type JsonDialect = "draft-04" | "draft-06" | "draft-07" | "2019-09" | "2020-12";

/**
 * How much a text is checked. `new` checks everything. `confluent` is for new texts through the Confluent API and accepts what
 * its server keeps as text without understanding it. `stored` reads back what an earlier build or another registry accepted
 * (names and defaults unchecked).
 */
export type Strictness = "new" | "confluent" | "stored";

export type ParseOptions = {
  strictness: Strictness;
  /** The dialect of a JSON Schema that does not say its own. Other formats ignore it. */
  defaultDialect: JsonDialect;
  /** Confluent `validateFields`: stricter checks of top-level field names. */
  validateFields?: boolean;
};

export type ParseResult<Model> =
  | { ok: true; model: Model; warnings: readonly SchemaProblem[] }
  /** `too_complex`: the text exceeds a bound on depth, size or work; `invalid`: it breaks a rule of its format. */
  | { ok: false; reason: "invalid" | "too_complex"; problems: readonly SchemaProblem[] };

/** One field of a schema, in the same shape for every format: for search and lineage. */
export type Field = {
  /** Dotted path from the root; `[]` marks array items, `{}` map values: `user.emails[].address`. */
  path: string;
  /** The field's type in the format's own words: `string`, `array`, `com.example.User`, `int32`. */
  type: string;
  documentation: string | null;
  required: boolean;
};

/** Inline tags of one entity, in the Confluent spelling. */
export type EntityTags = { entityPath: string; entityType: "sr_record" | "sr_field"; tags: readonly string[] };

/**
 * What a format can do. Methods, not function properties: parameters are then bivariant and
 * `SchemaFormat<AvroModel>` can stand in a list of `SchemaFormat<unknown>`, which is how all code outside
 * `schema/<format>/` sees it: a model goes only back into the format that parsed it.
 */
export interface SchemaFormat<Model> {
  readonly name: FormatName;
  readonly schemaType: SchemaType;
  /** Raised whenever the same input may give other output: derived values are cached under it. */
  readonly codeVersion: number;
  /** The compatibility policies this format can compare under. */
  readonly policies: readonly Policy[];

  parse(source: SchemaSource, options: ParseOptions): ParseResult<Model>;
  /** The text two equal schemas share (specs: Confluent contract §4.2). Canonicalising twice equals once. */
  canonicalText(model: Model): string;
  /** The text under `normalize=true` (specs: Confluent contract §4.3). */
  normalisedText(model: Model): string;
  /** Whether a lookup takes one for the other (specs: Confluent contract §4.5), metadata and rules aside. */
  equivalent(a: Model, b: Model): boolean;
  /** The text in another view (`resolved`, `serialized`, `ignore_extensions`), or undefined where this format has no such view. */
  render(model: Model, view: string): string | undefined;
  fields(model: Model): Field[];
  /** Names of top-level fields, for reserved-field checks. */
  topLevelNames(model: Model): string[];
  /** The dialect the schema was read in, null where the format has none. */
  dialect(model: Model): JsonDialect | null;

  /** The text with the inline tags that `edit` gives to each record and field, which it is shown in their order. */
  editTags(text: string, edit: EditTags): string;

  /** Every difference that matters when `reader` reads what `writer` wrote. */
  compare(reader: Model, writer: Model, options: CompareOptionsOf<Model>): Comparison;
  /** `compare` in slices, for a caller that lets others in between; absent where comparing is never long. */
  compareInSlices?(reader: Model, writer: Model, options: CompareOptionsOf<Model>): Sliced<Comparison>;
  /** The difference as one line of a verbose Confluent compatibility answer (specs: Confluent contract §5.5). */
  confluentLine(difference: Difference): string;
  /** For each difference, in order: a confirmed datum that `writer` can produce and `reader` refuses, or why none was found. */
  witnesses(reader: Model, writer: Model, differences: readonly Difference[], options: WitnessOptions): Witness[];
  /** `witnesses` in slices. */
  witnessesInSlices?(
    reader: Model,
    writer: Model,
    differences: readonly Difference[],
    options: WitnessOptions,
  ): Sliced<Witness[]>;
}
