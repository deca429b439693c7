/**
 * A provider's subset of JSON Schema, as data. Profiles are dated and immutable: a change in what a provider accepts is
 * a new file. Every limit is given with its source and reliability.
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
 * How a limit is known. `executed`: the provider's own open code was run; `source`: its code was read; `documented`:
 * its documentation says so; `observed`: from error messages and reports of others; `assumed`: nothing better is known.
 */
type Confidence = "executed" | "source" | "documented" | "observed" | "assumed";

export type Limit<Value> = {
  readonly value: Value;
  readonly confidence: Confidence;
  /** The source: a document, a package with its version, an issue. */
  readonly source: string;
  /** Sources disagree, or the limit could not be verified for this date. */
  readonly uncertain?: true;
  readonly note?: string;
};

/** The effect of a keyword: `refused` fails the request, `ignored` is accepted without effect. */
export type KeywordUse = "enforced" | "ignored" | "refused";

/**
 * `no_lookaround` also excludes back references; `simple` also excludes word boundaries and counts over 100; `anchored`
 * is `no_lookaround` between ^ and $.
 */
export type PatternUse = "any" | "no_lookaround" | "simple" | "anchored";

export type JsonType = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object";

export type Profile = {
  readonly name: ProfileName;
  /** Year and month in which its limits were last checked. */
  readonly date: string;
  readonly provider: string;
  /** The purpose of the profile, in one sentence. */
  readonly purpose: string;
  /** The request forms that carry a schema of this profile, the default first. */
  readonly shapes: readonly ShapeName[];

  /** `object`: type object and no union at the top. */
  readonly root: Limit<"any" | "object">;
  /**
   * `false`: must be present and false; `any`: as in JSON Schema; `absent`: the keyword is unknown and objects are
   * closed.
   */
  readonly additionalProperties: Limit<"false" | "any" | "absent">;
  /** Whether a property may be missing from `required`. */
  readonly optionalProperties: Limit<boolean>;
  /** Whether an object schema may have no properties at all. */
  readonly emptyObjects: Limit<boolean>;
  /** Whether a schema may omit the type of its values. */
  readonly untyped: Limit<boolean>;
  /** Where `type` may be a list: `scalars` excludes lists with array or object. */
  readonly typeArrays: Limit<"any" | "scalars" | "none">;
  /** How null is allowed: as a type, or by OpenAPI's `nullable` beside another type. */
  readonly nullability: Limit<"type" | "nullable">;
  readonly oneOf: Limit<"kept" | "as_any_of">;
  readonly allOf: Limit<boolean>;
  readonly references: Limit<{
    readonly local: boolean;
    /** The supported fragments: complete, by their parent folder, or all (`#*`). */
    readonly forms: readonly string[];
    /** The allowed siblings of `$ref`. */
    readonly siblings: "any" | "annotations" | "none";
    /** `optional_only`: a cycle must pass through a property that is not required. */
    readonly recursion: "kept" | "optional_only" | "refused";
  }>;
  /** The types that values of `enum` may have. */
  readonly enumTypes: Limit<readonly JsonType[]>;
  readonly const: Limit<boolean>;
  /** Annotations that may be written; others are omitted. `*` means all, including unknown keywords. */
  readonly annotations: Limit<readonly string[]>;
  /** Validation keywords, by name. */
  readonly keywords: Readonly<Record<string, Limit<KeywordUse>>>;
  /** The effect of unlisted validation keywords. */
  readonly otherKeywords: Limit<KeywordUse>;
  /** The allowed values of `format`; `*` means all. */
  readonly formats: Limit<readonly string[]>;
  /** The syntax allowed in `pattern` if it is enforced. */
  readonly patterns: Limit<PatternUse>;
  /** Whether lengths are enforced next to a pattern; true if absent. */
  readonly lengthBesidePattern?: Limit<boolean>;
  /** `integers`: bounds of other numbers have no effect; absent: bounds of all numbers are enforced. */
  readonly numericBounds?: Limit<"integers">;
  /** The allowed values of `minItems`, if not all are allowed. */
  readonly minItemsValues?: Limit<readonly number[]>;
  /** An ECMA-262 pattern that property names must match. */
  readonly propertyNames?: Limit<string>;
  /** Whether the order of properties is given by a list of names next to them. */
  readonly propertyOrdering: Limit<boolean>;
  /** The order in which the model writes members. */
  readonly outputOrder: Limit<"schema" | "required_first">;
  /** Whether the model preserves the case of enumerated strings. */
  readonly enumCase: Limit<"kept" | "any">;
  readonly budgets: Budgets;
};

/** Sums over a schema; those of `request` cover all strict tools and the output schema of one request together. */
type Budgets = {
  readonly maxProperties?: Limit<number>;
  readonly maxDepth?: Limit<number>;
  readonly maxNameAndValueCharacters?: Limit<number>;
  readonly maxEnumValues?: Limit<number>;
  /** A single enumeration of more than `values` strings may have at most `characters` in all. */
  readonly largeEnum?: Limit<{ readonly values: number; readonly characters: number }>;
  readonly request?: {
    readonly maxOptionalProperties?: Limit<number>;
    /** Above this, grammar compilation has been observed to fail within the documented limit. */
    readonly prudentOptionalProperties?: Limit<number>;
    readonly maxUnions?: Limit<number>;
    readonly maxStrictTools?: Limit<number>;
    readonly maxItemsSum?: Limit<number>;
  };
};

/** `name@date`: the profile of a projection. */
export function profileId({ name, date }: Pick<Profile, "name" | "date">): string {
  return `${name}@${date}`;
}
