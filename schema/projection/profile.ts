/**
 * What a provider takes, as data. A profile is dated and never changed: what a provider takes today and did not take
 * yesterday is a new file. Every limit says where it is known from and how well.
 */
import type { ShapeName } from "./shapes.ts";

export const PROFILE_NAMES = [
  "openai-strict",
  "azure-openai",
  "anthropic-strict",
  "anthropic-tool",
  "bedrock",
  "gemini-json-schema",
  "gemini-response-schema",
  "mcp",
  "vllm",
  "sglang",
  "tensorrt-llm",
  "llama-cpp",
  "ollama",
] as const;
type ProfileName = (typeof PROFILE_NAMES)[number];

/**
 * How a limit is known. `executed`: the provider's own open code was run on it; `source`: read in its code;
 * `documented`: its documentation says so; `observed`: error messages and reports of others; `assumed`: nothing better is known.
 */
type Confidence = "executed" | "source" | "documented" | "observed" | "assumed";

export type Limit<Value> = {
  readonly value: Value;
  readonly confidence: Confidence;
  /** Where it is known from: a document, a package with its version, an issue. */
  readonly source: string;
  /** Sources disagree, or it could not be checked again for this date. */
  readonly uncertain?: true;
  readonly note?: string;
};

/** What becomes of a keyword: `refused` fails the request, `ignored` is taken and has no effect. */
export type KeywordUse = "enforced" | "ignored" | "refused";

/**
 * `no_lookaround` leaves out back references as well; `simple` also word boundaries, and counts to 100 at most;
 * `anchored` is `no_lookaround` between ^ and $.
 */
export type PatternUse = "any" | "no_lookaround" | "simple" | "anchored";

export type JsonType = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object";

export type Profile = {
  readonly name: ProfileName;
  /** Year and month in which its limits were last checked. */
  readonly date: string;
  readonly provider: string;
  /** One sentence: what a schema under this profile is for. */
  readonly purpose: string;
  /** Places in a request that take a schema of this profile; the first is the usual one. */
  readonly shapes: readonly ShapeName[];

  /** `object`: type object and no union at the top. */
  readonly root: Limit<"any" | "object">;
  /** `false`: must be written and be false; `any`: as in JSON Schema; `absent`: the keyword is not known and objects are closed. */
  readonly additionalProperties: Limit<"false" | "any" | "absent">;
  /** Whether a property may be left out of `required`. */
  readonly optionalProperties: Limit<boolean>;
  /** Whether an object schema may have no properties at all. */
  readonly emptyObjects: Limit<boolean>;
  /** Whether a schema may say nothing about the type of its values. */
  readonly untyped: Limit<boolean>;
  /** Where `type` may be a list: `scalars` leaves out lists with array or object. */
  readonly typeArrays: Limit<"any" | "scalars" | "none">;
  /** How null is allowed: as a type, or by OpenAPI's `nullable` beside another type. */
  readonly nullability: Limit<"type" | "nullable">;
  readonly oneOf: Limit<"kept" | "as_any_of">;
  readonly allOf: Limit<boolean>;
  readonly references: Limit<{
    readonly local: boolean;
    /** The fragments that are understood: whole, by the folder they end in, or all of them (`#*`). */
    readonly forms: readonly string[];
    /** What may stand beside `$ref`. */
    readonly siblings: "any" | "annotations" | "none";
    /** `optional_only`: a cycle must pass through a property that is not required. */
    readonly recursion: "kept" | "optional_only" | "refused";
  }>;
  /** The types that values of `enum` may have. */
  readonly enumTypes: Limit<readonly JsonType[]>;
  readonly const: Limit<boolean>;
  /** Annotations that may be written; others are left out. `*` stands for all, unknown keywords included. */
  readonly annotations: Limit<readonly string[]>;
  /** Validation keywords, by name. */
  readonly keywords: Readonly<Record<string, Limit<KeywordUse>>>;
  /** What becomes of validation keywords that are not listed. */
  readonly otherKeywords: Limit<KeywordUse>;
  /** The values that `format` may have; `*` stands for all. */
  readonly formats: Limit<readonly string[]>;
  /** What `pattern` may use where it is enforced. */
  readonly patterns: Limit<PatternUse>;
  /** Whether lengths count where there is a pattern; true where it is not said. */
  readonly lengthBesidePattern?: Limit<boolean>;
  /** `integers`: bounds of other numbers have no effect; all numbers where it is not said. */
  readonly numericBounds?: Limit<"integers">;
  /** The values that `minItems` may have, where not all are taken. */
  readonly minItemsValues?: Limit<readonly number[]>;
  /** What names of properties must match; ECMA-262. */
  readonly propertyNames?: Limit<string>;
  /** Whether the order of properties is said by a list of their names beside them. */
  readonly propertyOrdering: Limit<boolean>;
  /** The order in which the model writes members. */
  readonly outputOrder: Limit<"schema" | "required_first">;
  /** Whether the model writes enumerated strings in the case of the schema. */
  readonly enumCase: Limit<"kept" | "any">;
  readonly budgets: Budgets;
};

/** Sums over a schema; those of `request` count over all strict tools and the output schema of one request together. */
type Budgets = {
  readonly maxProperties?: Limit<number>;
  readonly maxDepth?: Limit<number>;
  readonly maxNameAndValueCharacters?: Limit<number>;
  readonly maxEnumValues?: Limit<number>;
  /** One enumeration of more than `values` strings may have at most `characters` in all. */
  readonly largeEnum?: Limit<{ readonly values: number; readonly characters: number }>;
  readonly request?: {
    readonly maxOptionalProperties?: Limit<number>;
    /** Above this, compiling the grammar has been seen to fail although the documented limit is kept. */
    readonly prudentOptionalProperties?: Limit<number>;
    readonly maxUnions?: Limit<number>;
    readonly maxStrictTools?: Limit<number>;
    readonly maxItemsSum?: Limit<number>;
  };
};

/** `name@date`: what a projection was made for. */
export function profileId({ name, date }: Pick<Profile, "name" | "date">): string {
  return `${name}@${date}`;
}
