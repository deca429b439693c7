/** The interface that the parts of a projection share while writing. */

import type { ReferenceKeyword, SchemaLocation } from "../json/model.ts";
import type { JsonNode, JsonObject } from "../json-text.ts";
import type { ProjectionMeter } from "./bounds.ts";
import type { ProjectionChangeKind, ProjectionLoss } from "./changes.ts";
import type { BranchStep, DecodeStep } from "./decoder.ts";
import type { Draft } from "./draft.ts";
import type { JsonType, KeywordUse, Profile } from "./profile.ts";
import type { DraftReader } from "./read-draft.ts";

/** A schema in the provider's form, and the decoder step for values of it. */
export type Written = { readonly schema: JsonObject; readonly decode: DecodeStep | null };

/** The result of a type's writer: keywords next to `type`, and constraints to be expressed in words. */
export type Part = {
  readonly schema: JsonObject;
  readonly decode: DecodeStep | null;
  readonly moved: readonly string[];
  /** Keywords whose meaning would change for the chosen encoding. */
  readonly described?: readonly string[];
};

/** The location at which a schema is being written. */
export type Place = {
  readonly depth: number;
  /** Whether it can be omitted: some property on the path from the root or the definition is not required. */
  readonly isOptional: boolean;
  /** How often each recursive schema has been unrolled on the path to here. */
  readonly unrolled: ReadonlyMap<JsonNode, number>;
};

/** How an optional property is written if omitting it would exceed the request's budget. */
export type AbsenceEncoding = "null" | "sentinel";

export type RewriteOptions = {
  readonly maxUnrolledLevels: number;
  /** Optional properties that are written as required ones, by pointer. */
  readonly absences: ReadonlyMap<string, AbsenceEncoding>;
};

/** `schema` is null while it is being written, and afterwards if no value is possible. */
export type WrittenDefinition = {
  readonly name: string;
  isWritten: boolean;
  schema: JsonObject | null;
  decode: DecodeStep | null;
};

/** Writes the schemas of one projection; shared by all parts. */
export interface Rewriter {
  readonly reader: DraftReader;
  readonly profile: Profile;
  readonly meter: ProjectionMeter;
  readonly options: RewriteOptions;
  /** Optional properties that are missing from `required`, for the budget of a request. */
  readonly omittable: { draft: Draft; name: string }[];
  readonly definitions: ReadonlyMap<JsonNode, WrittenDefinition>;
  /** The used part of the budgets that are tracked while writing. */
  enumValues: number;
  itemsSum: number;

  /** Null if no value is possible. */
  write(draft: Draft, place: Place): Written | null;
  change(kind: ProjectionChangeKind, pointer: string, loss: ProjectionLoss, message: string, fix?: string): void;
  /** Adds the draft's constraints on values of these types, and its annotations, to a schema. */
  describe(draft: Draft, schema: JsonObject, types: readonly JsonType[], moved: readonly string[]): JsonObject;
  /** The same for a schema of encoded values: the draft's constraints can only be described in words. */
  describeEncoded(draft: Draft, schema: JsonObject, moved: readonly string[]): JsonObject;
  use(keyword: string): KeywordUse;
  /** Whether the registered schema accepts a value at the draft's locations. */
  admits(draft: Draft, value: unknown): boolean;
  /** A branch of a union, whose pointer in the projected schema is filled in at the end. */
  branch(schema: JsonObject, draft: Draft, decode: DecodeStep | null): BranchStep;
  /** The definition of a recursive or shared schema, created on first use. */
  definition(target: SchemaLocation): WrittenDefinition;
  /** Whether a schema is recursive. */
  isRecursive(target: SchemaLocation): boolean;
  /** The target of a reference inside a condition. */
  follow(location: SchemaLocation, keyword: ReferenceKeyword): SchemaLocation | undefined;
}
