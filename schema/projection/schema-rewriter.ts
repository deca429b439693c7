/**
 * Writes drafts in a profile's form, each with its decoder step. This file has the shared parts: dispatch by the
 * draft's content, the log of changes, definitions, and the budget of optional properties.
 */

import { followReference, type ReferenceKeyword, type SchemaLocation } from "../json/model.ts";
import { isAtLeast } from "../json/parse/dialects.ts";
import { schemaPointer } from "../json/validate/evaluation.ts";
import { validateAt } from "../json/validate/validate.ts";
import type { JsonNode, JsonObject } from "../json-text.ts";
import type { Sliced } from "../slices.ts";
import { type ProjectionMeter, TooComplexProjection } from "./bounds.ts";
import type { ChangeLog, ProjectionChangeKind, ProjectionLoss } from "./changes.ts";
import type { BranchStep, DecodeStep } from "./decoder.ts";
import type { Draft } from "./draft.ts";
import type { JsonType, KeywordUse, Profile } from "./profile.ts";
import type { DraftReader } from "./read-draft.ts";
import { Recursion } from "./recursion.ts";
import type { Place, RewriteOptions, Rewriter, Written, WrittenDefinition } from "./rewriter.ts";
import { addAnnotations, annotate, describeConditions } from "./write-annotations.ts";
import { describeAssertions, writeAssertions } from "./write-assertions.ts";

/** Writes one draft by its content. */
type WriteDraft = (rewriter: Rewriter, draft: Draft, place: Place) => Written | null;

export class SchemaRewriter implements Rewriter {
  readonly definitions = new Map<JsonNode, WrittenDefinition>();
  readonly branches: { step: { schema: string }; schema: JsonObject }[] = [];
  /** Optional properties that are missing from `required`, for the budget of a request. */
  readonly omittable: { draft: Draft; name: string }[] = [];
  /** Definitions met deep inside others: references can lead through thousands of them. */
  readonly #deferred: { definition: WrittenDefinition; target: SchemaLocation }[] = [];
  readonly #recursion: Recursion;
  /** Names of definitions, and the last number added to each. */
  readonly #names = new Map<string, number>();
  enumValues = 0;
  itemsSum = 0;

  readonly reader: DraftReader;
  readonly profile: Profile;
  readonly log: ChangeLog;
  readonly meter: ProjectionMeter;
  readonly options: RewriteOptions;
  readonly #writeDraft: WriteDraft;

  constructor(
    reader: DraftReader,
    profile: Profile,
    log: ChangeLog,
    meter: ProjectionMeter,
    options: RewriteOptions,
    writeDraft: WriteDraft,
  ) {
    this.reader = reader;
    this.#recursion = new Recursion(reader);
    this.profile = profile;
    this.log = log;
    this.meter = meter;
    this.options = options;
    this.#writeDraft = writeDraft;
  }

  /** Null if no value is possible. Recursion is bounded by the meter. */
  write(draft: Draft, place: Place): Written | null {
    this.meter.project(draft.pointer, place.depth);
    if (draft.never) return null;
    this.#reportSpelling(draft);
    this.meter.enter(draft.pointer);
    const written = this.#writeDraft(this, draft, place);
    this.meter.leave();
    return written;
  }

  /** Writes the definitions that were deferred, and those that they lead to; pauses in between. */
  *finishDefinitions(): Sliced<void> {
    for (const { definition, target } of this.#deferred) {
      this.#writeDefinition(definition, target);
      yield this.meter.takeMicros();
      // References to it have been written already.
      if (definition.schema === null) {
        throw new TooComplexProjection(target.pointer, `"${definition.name}" allows no value at all.`);
      }
    }
    this.#deferred.length = 0;
  }

  change(kind: ProjectionChangeKind, pointer: string, loss: ProjectionLoss, message: string, fix?: string): void {
    this.log.add({ kind, pointer, loss, message, ...(fix === undefined ? {} : { fix }) });
  }

  /** Adds the draft's constraints on values of these types, and its annotations, to a schema. */
  describe(draft: Draft, schema: JsonObject, types: readonly JsonType[], moved: readonly string[]): JsonObject {
    return addAnnotations(this, draft, schema, [...moved, ...writeAssertions(this, draft, schema, types)]).schema;
  }

  /** The same for a schema of encoded values: the draft's constraints can only be described in words. */
  describeEncoded(draft: Draft, schema: JsonObject, moved: readonly string[]): JsonObject {
    const described = [...moved];
    describeAssertions(this, draft, described);
    describeConditions(this, draft, described);
    annotate(this, draft, schema, described);
    return schema;
  }

  use(keyword: string): KeywordUse {
    const { keywords, otherKeywords } = this.profile;
    return Object.hasOwn(keywords, keyword) ? keywords[keyword]!.value : otherKeywords.value;
  }

  /** Whether the registered schema accepts a value at the draft's locations. */
  admits(draft: Draft, value: unknown): boolean {
    return draft.locations.every((location) => {
      const validation = validateAt(this.reader.model, location, value, { formats: false });
      this.meter.combine(
        draft.pointer,
        VALIDATION_STEPS * (validation.ok ? validation.value : validation.refusal).steps,
      );
      return validation.ok && validation.value.valid;
    });
  }

  /** A branch of a union, whose pointer in the projected schema is filled in at the end. */
  branch(schema: JsonObject, draft: Draft, decode: DecodeStep | null): BranchStep {
    const step = {
      schema: "",
      registered: draft.locations.map((location) => schemaPointer(location)),
      ...(decode === null ? {} : { decode }),
    };
    this.branches.push({ step, schema });
    return step;
  }

  /** Reports changes that reading has already made and that the provider would have required. */
  #reportSpelling(draft: Draft): void {
    const { allOf, otherKeywords } = this.profile;
    for (const location of draft.locations) {
      if (location.node.type !== "object") continue;
      const { members } = location.node;
      const all = members.get("allOf");
      const holdsReference =
        all?.type === "array" && all.items.some((item) => item.type === "object" && item.members.has("$ref"));
      if (
        all !== undefined &&
        (!allOf.value || (holdsReference && this.profile.additionalProperties.value !== "any"))
      ) {
        const message = `"allOf" is merged into one schema: ${this.profile.provider} does not combine schemas here.`;
        this.change(
          "merged_all_of",
          schemaPointer(location, "allOf"),
          "lossless",
          message,
          "Write the parts as one schema.",
        );
      }
      if (otherKeywords.value !== "enforced") this.#reportOldSpelling(location, members);
    }
  }

  #reportOldSpelling(location: SchemaLocation, members: ReadonlyMap<string, JsonNode>): void {
    if (isAtLeast(location.resource.dialect, "2020-12")) return;
    const old = [
      members.get("items")?.type === "array" ? "items" : undefined,
      members.get("exclusiveMinimum")?.type === "boolean" ? "exclusiveMinimum" : undefined,
      members.get("exclusiveMaximum")?.type === "boolean" ? "exclusiveMaximum" : undefined,
    ];
    for (const name of old) {
      if (name === undefined) continue;
      const message = `"${name}" is written as in 2020-12: ${this.profile.provider} reads later drafts.`;
      this.change("respelled", schemaPointer(location, name), "lossless", message, `Write "${name}" as in 2020-12.`);
    }
  }

  /** The definition of a recursive or shared schema, created on first use. */
  definition(target: SchemaLocation): WrittenDefinition {
    const known = this.definitions.get(target.node);
    if (known !== undefined) return known;
    const definition: WrittenDefinition = { name: this.#nameFor(target), isWritten: false, schema: null, decode: null };
    this.definitions.set(target.node, definition);
    if (this.meter.isNearlyTooNested) this.#deferred.push({ definition, target });
    else this.#writeDefinition(definition, target);
    return definition;
  }

  #writeDefinition(definition: WrittenDefinition, target: SchemaLocation): void {
    const written = this.write(this.reader.read(target), { depth: 1, isOptional: false, unrolled: new Map() });
    definition.schema = written?.schema ?? null;
    definition.decode = written?.decode ?? null;
    definition.isWritten = true;
  }

  #nameFor(target: SchemaLocation): string {
    const last = target.pointer.slice(target.pointer.lastIndexOf("/") + 1);
    const document =
      target.resource.document.name
        ?.split("/")
        .at(-1)
        ?.replace(/\.\w+$/, "") ?? "root";
    const base =
      (last === "" ? document : last).replace(/[^A-Za-z0-9_.-]+/g, "_").slice(0, MAX_DEFINITION_NAME) || "schema";
    let name = base;
    let count = this.#names.get(base) ?? 1;
    while (this.#names.has(name)) {
      count += 1;
      name = `${base}_${count}`;
    }
    this.#names.set(base, count);
    this.#names.set(name, 1);
    return name;
  }

  /** Whether a schema is recursive. */
  isRecursive(target: SchemaLocation): boolean {
    return this.#recursion.isRecursive(target);
  }

  /** The target of a `$ref` inside a condition. */
  follow(location: SchemaLocation, keyword: ReferenceKeyword): SchemaLocation | undefined {
    return followReference(this.reader.model, location, keyword);
  }
}

/** Steps of combining that take as long as one step of validating a value. */
const VALIDATION_STEPS = 10;
/** Longer names do not help a model. */
const MAX_DEFINITION_NAME = 48;
