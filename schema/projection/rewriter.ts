/** What the parts of a projection share while it is written. */

import type { ReferenceKeyword, SchemaLocation } from "../json/model.ts";
import type { JsonNode, JsonObject } from "../json-text.ts";
import type { ProjectionMeter } from "./bounds.ts";
import type { ChangeKind, Loss } from "./changes.ts";
import type { BranchStep, DecodeStep } from "./decoder.ts";
import type { Draft } from "./draft.ts";
import type { JsonType, KeywordUse, Profile } from "./profile.ts";
import type { DraftReader } from "./read-draft.ts";

/** A schema as the provider takes it, and how to read back what the model writes for it. */
export type Written = { readonly schema: JsonObject; readonly decode: DecodeStep | null };

/** What a type's writer gives: keywords beside `type`, and constraints left to words. */
export type Part = {
  readonly schema: JsonObject;
  readonly decode: DecodeStep | null;
  readonly moved: readonly string[];
  /** Keywords that would mean something else of the form that was taken. */
  readonly told?: readonly string[];
};

/** Where a schema is being written. */
export type Place = {
  readonly depth: number;
  /** Whether it can be left out: some property on the way from the root or the definition is not required. */
  readonly isOptional: boolean;
  /** How often each recursive schema has been written out around here. */
  readonly unrolled: ReadonlyMap<JsonNode, number>;
};

/** How a property that may be absent is written where leaving it out costs more than the request may spend. */
export type AbsenceEncoding = "null" | "sentinel";

export type RewriteOptions = {
  readonly maxUnrolledLevels: number;
  /** Optional properties that are written as required ones, by pointer. */
  readonly absences: ReadonlyMap<string, AbsenceEncoding>;
};

/** `schema` is null while it is being written, and afterwards where no value is possible. */
export type Definition = {
  readonly name: string;
  isWritten: boolean;
  schema: JsonObject | null;
  decode: DecodeStep | null;
};

/** Writes the schemas of one projection; what every part of it needs. */
export interface Rewriter {
  readonly reader: DraftReader;
  readonly profile: Profile;
  readonly meter: ProjectionMeter;
  readonly options: RewriteOptions;
  /** Optional properties that were left out of `required`, for the budget of a request. */
  readonly omittable: { draft: Draft; name: string }[];
  readonly definitions: ReadonlyMap<JsonNode, Definition>;
  /** What has been spent of the budgets that are watched while writing. */
  enumValues: number;
  itemsSum: number;

  /** Null where no value is possible. */
  write(draft: Draft, place: Place): Written | null;
  change(kind: ChangeKind, pointer: string, loss: Loss, message: string, fix?: string): void;
  /** Adds to a schema what the draft says of values of these types, and its annotations. */
  describe(draft: Draft, schema: JsonObject, types: readonly JsonType[], moved: readonly string[]): JsonObject;
  /** The same for a schema that stands for values in another form: what the draft says of them can only be told. */
  describeEncoded(draft: Draft, schema: JsonObject, moved: readonly string[]): JsonObject;
  use(keyword: string): KeywordUse;
  /** Whether the registered schema takes a value at the draft's places. */
  admits(draft: Draft, value: unknown): boolean;
  /** A branch of a union, whose pointer in the projected schema is filled in once the whole is written. */
  branch(schema: JsonObject, draft: Draft, decode: DecodeStep | null): BranchStep;
  /** The definition that a recurring or shared schema is written as, made at its first use. */
  definition(target: SchemaLocation): Definition;
  /** Whether a schema leads back to itself. */
  isRecursive(target: SchemaLocation): boolean;
  /** Where a reference inside a condition leads. */
  follow(location: SchemaLocation, keyword: ReferenceKeyword): SchemaLocation | undefined;
}
