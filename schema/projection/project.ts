/** Rewrites a schema for one provider: the result, its changes, and the decoder for answers. */

import type { JsonSchemaModel } from "../json/model.ts";
import type { JsonNode, JsonObject } from "../json-text.ts";
import { pointerToken, writeJsonText } from "../json-text.ts";
import { ok, type Result, refuse } from "../result.ts";
import { passesMicros, runAtOnce, type Sliced } from "../slices.ts";
import { planAbsences, type RequestBudget } from "./absences.ts";
import { MAX_PROJECTED_BYTES, MAX_UNROLLED_LEVELS, ProjectionMeter, TooComplexProjection } from "./bounds.ts";
import { ChangeLog, type ProjectionChange, type ProjectionLoss } from "./changes.ts";
import type { Decoder } from "./decoder.ts";
import { makeDecoder } from "./finish-decoder.ts";
import { arrayNode, booleanNode, indexPointers, objectNode, stringNode } from "./json-nodes.ts";
import { hoistDeepSchemas, type Measure, measureSchema, overBudget } from "./measure.ts";
import { type Profile, profileId } from "./profile.ts";
import { DraftReader } from "./read-draft.ts";
import type { AbsenceEncoding, Written } from "./rewriter.ts";
import { SchemaRewriter } from "./schema-rewriter.ts";
import { spellForGemini } from "./spell-gemini.ts";
import { writeDraft } from "./write-draft.ts";

export type Projection = {
  /** The profile with its date. */
  readonly profile: string;
  /** The schema as sent to the provider. */
  readonly schema: JsonNode;
  /** The same as plain JSON Schema (2020-12), if the provider uses a different spelling. */
  readonly plainSchema: JsonNode;
  readonly changes: readonly ProjectionChange[];
  /** The total number, if not all are listed. */
  readonly changesTotal: number;
  /** The worst loss of all changes; null if the schema needs no change. */
  readonly loss: ProjectionLoss | null;
  readonly decoder: Decoder;
  readonly measure: Measure;
};

export type ProjectionRefusal = {
  /** `impossible`: the provider cannot express it; `too_complex`: one of our limits was reached. */
  readonly reason: "impossible" | "too_complex";
  readonly problems: readonly { readonly pointer: string; readonly message: string; readonly fix?: string }[];
};

export type ProjectOptions = {
  /** The request's remaining budget for this schema; by default all of it. */
  readonly budget?: RequestBudget;
  /** Unrolled levels of a recursive schema for providers without recursion. */
  readonly maxUnrolledLevels?: number;
};

/** Passes over a schema's text whose time each step of a projection takes. */
const PASSES = 3;

/** The member that wraps other values if only objects are accepted at the top level. */
const WRAPPER_MEMBER = "result";

type Projected = Result<Projection, ProjectionRefusal>;

export function projectSchema(model: JsonSchemaModel, profile: Profile, options: ProjectOptions = {}): Projected {
  return runAtOnce(projectInSlices(model, profile, options));
}

/** `projectSchema` in slices, for callers that yield in between. */
export function* projectInSlices(
  model: JsonSchemaModel,
  profile: Profile,
  options: ProjectOptions = {},
): Sliced<Projected> {
  try {
    return yield* withinBounds(model, profile, options);
  } catch (error) {
    if (!(error instanceof TooComplexProjection)) throw error;
    yield passesMicros(model.document.text.length, PASSES);
    return refuse({ reason: "too_complex", problems: [{ pointer: error.pointer, message: error.message }] });
  }
}

/** Recursion is unrolled less often if the result exceeds the other limits. */
function* withinBounds(model: JsonSchemaModel, profile: Profile, options: ProjectOptions): Sliced<Projected> {
  const most = options.maxUnrolledLevels ?? MAX_UNROLLED_LEVELS;
  for (let levels = most; levels > 0; levels -= 1) {
    try {
      const projected = yield* projectWithLevels(model, profile, levels, options.budget);
      if (projected.ok || levels === 1) return projected;
    } catch (error) {
      if (!(error instanceof TooComplexProjection) || levels === 1) throw error;
      yield passesMicros(model.document.text.length, PASSES);
    }
  }
  return yield* projectWithLevels(model, profile, 1, options.budget);
}

function* projectWithLevels(
  model: JsonSchemaModel,
  profile: Profile,
  maxUnrolledLevels: number,
  budget: RequestBudget | undefined,
): Sliced<Projected> {
  const pauseMicros = passesMicros(model.document.text.length, PASSES);
  const first = yield* rewrite(model, profile, maxUnrolledLevels, new Map());
  yield pauseMicros;
  if (first === null) return refuse({ reason: "impossible", problems: [NO_VALUE] });
  const planned = planAbsences(profile, first.rewriter, first.measure, budget);
  yield pauseMicros;
  if (!planned.ok) return refuse({ reason: "impossible", problems: [planned.refusal] });
  const rewritten = planned.value.size === 0 ? first : yield* rewrite(model, profile, maxUnrolledLevels, planned.value);
  yield pauseMicros;
  if (rewritten === null) return refuse({ reason: "impossible", problems: [NO_VALUE] });
  const problems = overBudget(profile, rewritten.measure).map(({ message }) => ({ pointer: "", message }));
  if (problems.length > 0) return refuse({ reason: "impossible", problems });
  return finished(model, profile, rewritten);
}

const NO_VALUE = {
  pointer: "",
  message: "The schema allows no value at all, so a model cannot return one.",
  fix: "Look for a false schema or for types that exclude each other.",
};

type Rewritten = {
  rewriter: SchemaRewriter;
  root: JsonObject;
  written: Written;
  measure: Measure;
  log: ChangeLog;
};

function* rewrite(
  model: JsonSchemaModel,
  profile: Profile,
  maxUnrolledLevels: number,
  absences: ReadonlyMap<string, AbsenceEncoding>,
): Sliced<Rewritten | null> {
  const meter = new ProjectionMeter();
  const log = new ChangeLog();
  const reader = new DraftReader(model, meter);
  const rewriter = new SchemaRewriter(reader, profile, log, meter, { maxUnrolledLevels, absences }, writeDraft);
  reader.read(model.root);
  // Reading and writing each take up to 100 ms.
  yield meter.takeMicros();
  const written = writeRoot(rewriter, reader);
  yield meter.takeMicros();
  if (written === null) return null;
  yield* rewriter.finishDefinitions();
  const root = written.schema;
  const definitions = [...rewriter.definitions.values()].filter(({ schema }) => schema !== null);
  if (definitions.length > 0) {
    root.members.set("$defs", objectNode(definitions.map(({ name, schema }) => [name, schema!] as const)));
  }
  const { maxDepth } = profile.budgets;
  const isTooDeep = maxDepth !== undefined && measureSchema(root).depth > maxDepth.value;
  if (isTooDeep && profile.references.value.local && hoistDeepSchemas(root, maxDepth.value)) {
    const message = `Parts deeper than ${maxDepth.value} levels become definitions: ${profile.provider} counts the levels of each definition separately.`;
    log.add({
      kind: "hoisted_ref",
      pointer: "",
      loss: "lossless",
      message,
      fix: "Use definitions, or flatten the schema.",
    });
  }
  return { rewriter, root, written, measure: measureSchema(root), log };
}

function writeRoot(rewriter: SchemaRewriter, reader: DraftReader): Written | null {
  const { profile } = rewriter;
  const place = { depth: 0, isOptional: false, unrolled: new Map() };
  let draft = reader.read(reader.model.root);
  const wantsObject = profile.root.value === "object";
  if (draft.reference !== null && wantsObject) {
    const { pointer } = draft.reference;
    draft = reader.resolve(draft) ?? draft;
    rewriter.change(
      "inlined_ref",
      pointer,
      "lossless",
      `The reference at the top level is replaced by its target: ${profile.provider} requires an object there.`,
      "Write the object at the top level.",
    );
  }
  const written = rewriter.write(draft, place);
  if (written === null || !wantsObject || isPlainObject(written.schema)) return written;
  const schema = objectNode([
    ["type", stringNode("object")],
    ["properties", objectNode([[WRAPPER_MEMBER, written.schema]])],
    ["required", arrayNode([stringNode(WRAPPER_MEMBER)])],
    ["additionalProperties", booleanNode(false)],
  ]);
  const message = `The schema is wrapped in an object under "${WRAPPER_MEMBER}": ${profile.provider} requires an object without alternatives at the top level.`;
  rewriter.change(
    "wrapped_root",
    "",
    "lossless",
    message,
    "Write an object at the top level, and move alternatives into one of its properties.",
  );
  return {
    schema,
    decode: { op: "unwrap", member: WRAPPER_MEMBER, ...(written.decode ? { decode: written.decode } : {}) },
  };
}

function isPlainObject({ members }: JsonObject): boolean {
  const type = members.get("type");
  const combines = ["anyOf", "oneOf", "allOf"].some((name) => members.has(name));
  return type?.type === "string" && type.value === "object" && !combines;
}

function finished(
  model: JsonSchemaModel,
  profile: Profile,
  rewritten: Rewritten,
): Result<Projection, ProjectionRefusal> {
  const { rewriter, root, written, log } = rewritten;
  const pointers = indexPointers(root, pointerToken);
  for (const { step, schema } of rewriter.branches) step.schema = pointers.get(schema) ?? "";
  const decoder = makeDecoder(profileId(profile), written, rewriter, root);
  const isReady = log.total === 0;
  const plain = isReady ? model.root.node : root;
  const schema = spellForGemini(profile, plain);
  const bytes = new TextEncoder().encode(writeJsonText(schema)).length;
  if (bytes > MAX_PROJECTED_BYTES) {
    throw new TooComplexProjection("", `The projected schema has ${bytes} bytes (at most ${MAX_PROJECTED_BYTES}).`);
  }
  return ok({
    profile: profileId(profile),
    schema,
    plainSchema: plain,
    changes: log.changes,
    changesTotal: log.total,
    loss: isReady ? null : log.worst,
    decoder,
    measure: rewritten.measure,
  });
}
