/**
 * Parts of artefacts: JSON Schemas with a direction. A part that is given to the artefact (`in`) must accept what users of
 * the earlier version send; a part that it gives (`out`) must stay readable for them; `both` must do both. Parts are
 * compared here once for all artefacts, by the JSON engine, which knows nothing about directions.
 */
import type { CompareOptions, Comparison, Difference } from "./compatibility.ts";
import type { ParseResult, SchemaField, SchemaProblem, SchemaSource, Strictness } from "./format.ts";
import { jsonSchema } from "./json/format.ts";
import type { JsonSchemaModel } from "./json/model.ts";
import { type JsonNode, type JsonObject, nodeAtPointer, positionAt, writeJsonText } from "./json-text.ts";
import { ok, refuse } from "./result.ts";
import { DROPPED_KIND, nameSides, STEERING_KIND } from "./rules/roles.ts";
import type { Sliced } from "./slices.ts";
import type { Witness, WitnessOptions } from "./witness.ts";

type Variance = "in" | "out" | "both";

export type PartDeclaration = {
  /** How callers name the part: `input`. */
  name: string;
  variance: Variance;
  /** Who sends the data, and who receives it: `the model` and `the tool`. */
  giver: string;
  taker: string;
  /** A model reads this schema, so its descriptions, examples and defaults change what the model does. */
  steers: boolean;
  /** Senders keep sending a removed property, which is no longer read. */
  warnsOfRemoval: boolean;
  /** The writer may add undeclared members, as models do, so closing the content model is breaking. */
  refusesClosing: boolean;
  /** Senders send declared members only; an object schema that declares none means that they send none, not any. */
  isBareEmpty: boolean;
};

/** A part of an artefact's text. */
export type PartText = {
  declaration: PartDeclaration;
  /** Null if the artefact does not declare the part; `schema` then expresses what that means. */
  pointer: string | null;
  schema: JsonNode;
  /** The place in the artefact of a place in `schema`, for a schema that was built from other members. */
  placeOf?(pointer: string): string;
};

export type ArtefactPart = {
  declaration: PartDeclaration;
  pointer: string | null;
  model: JsonSchemaModel;
  placeOf?(pointer: string): string;
};

/** Artefacts take their dialect from each part's `$schema`. */
const PART_DIALECT = "2020-12";

/** Parses one part. Its problems have the places of the artefact's text. */
export function* parsePartInSlices(
  { text, references }: SchemaSource,
  root: JsonNode,
  { declaration, pointer, schema, placeOf }: PartText,
  strictness: Strictness,
): Sliced<ParseResult<ArtefactPart>> {
  const source = { text: writeJsonText(withoutIntegerRange(schema)), references };
  const parsed = yield* jsonSchema.parseInSlices(source, { strictness, defaultDialect: PART_DIALECT });
  const kept = placeOf === undefined ? {} : { placeOf };
  const place = (problem: SchemaProblem) => placed(text, root, { pointer, ...kept }, problem);
  if (!parsed.ok) return refuse({ ...parsed.refusal, problems: parsed.refusal.problems.map(place) });
  const { model, warnings } = parsed.value;
  return ok({ model: { declaration, pointer, model, ...kept }, warnings: warnings.map(place) });
}

/** The same problem at its place in the artefact's text. */
function placed(
  text: string,
  root: JsonNode,
  part: Pick<ArtefactPart, "pointer" | "placeOf">,
  problem: SchemaProblem,
): SchemaProblem {
  const { rule, message } = problem;
  const pointer = rebased(problem.pointer ?? "", part) ?? "";
  const node = nodeAtPointer(root, pointer);
  return { rule, message, pointer, ...(node === undefined ? {} : positionAt(text, node.start)) };
}

const SAFE_INTEGER = String(Number.MAX_SAFE_INTEGER);

/**
 * The schema without the bounds that generators write on every integer: the range of integers that JavaScript can
 * represent. No model and no caller notices them, and a generator's upgrade adds them everywhere at once.
 */
function withoutIntegerRange(node: JsonNode): JsonNode {
  if (node.type === "array") return { ...node, items: node.items.map(withoutIntegerRange) };
  if (node.type !== "object") return node;
  const type = node.members.get("type");
  const isInteger = type?.type === "string" && type.value === "integer";
  const members = [...node.members]
    .filter(([name, value]) => !(isInteger && value.type === "number" && isSafeBound(name, value.text)))
    .map(([name, value]): [string, JsonNode] => [name, withoutIntegerRange(value)]);
  return { ...node, members: new Map(members) } satisfies JsonObject;
}

function isSafeBound(name: string, text: string): boolean {
  return (name === "maximum" && text === SAFE_INTEGER) || (name === "minimum" && text === `-${SAFE_INTEGER}`);
}

type Direction = "in" | "out";

function directionsOf(variance: Variance): readonly Direction[] {
  return variance === "both" ? ["in", "out"] : [variance];
}

/** The schemas that a direction compares: the taker's is the reader. */
function sidesOf<T>(direction: Direction, reader: T, writer: T): { reader: T; writer: T } {
  return direction === "in" ? { reader, writer } : { reader: writer, writer: reader };
}

/** The differences that users of `writer` meet when they use `reader`, with pointers into the two artefacts. */
export function* comparePartsInSlices(
  reader: readonly ArtefactPart[],
  writer: readonly ArtefactPart[],
  options: CompareOptions,
): Sliced<Comparison> {
  const differences: Difference[] = [];
  let total = 0;
  for (const part of reader) {
    const earlier = writer.find(({ declaration }) => declaration.name === part.declaration.name);
    if (earlier === undefined) continue;
    for (const direction of directionsOf(part.declaration.variance)) {
      const sides = sidesOf(direction, part, earlier);
      const compared = yield* jsonSchema.compareInSlices(sides.reader.model, sides.writer.model, {
        ...options,
        isBareRootEmpty: part.declaration.isBareEmpty,
      });
      if (!compared.ok) {
        return refuse({ ...compared.refusal, pointer: rebased(compared.refusal.pointer, sides.reader) ?? "" });
      }
      const found = compared.value.differences.map((difference) => toArtefact(difference, sides, direction));
      differences.push(...found);
      total += compared.value.differences_total ?? found.length;
    }
  }
  return ok({ differences, ...(total > differences.length ? { differences_total: total } : {}) });
}

/** A difference between two schemas as one between two artefacts. */
function toArtefact(
  difference: Difference,
  { reader, writer }: { reader: ArtefactPart; writer: ArtefactPart },
  direction: Direction,
) {
  const { declaration } = reader;
  const read = rebased(difference.reader_pointer, reader);
  const written = rebased(difference.writer_pointer, writer);
  const sides = { reader: declaration.taker, writer: declaration.giver };
  return {
    ...difference,
    kind: direction === "in" ? difference.kind : opposite(difference.kind),
    reader_pointer: direction === "in" ? read : written,
    writer_pointer: direction === "in" ? written : read,
    message: nameSides(difference.message, sides),
    ...(difference.fix === undefined ? {} : { fix: nameSides(difference.fix, sides) }),
    severity: severityIn(declaration, direction, difference),
    part: { name: declaration.name, variance: direction },
  };
}

function severityIn(
  { steers, warnsOfRemoval, refusesClosing }: PartDeclaration,
  direction: Direction,
  { kind, severity }: Difference,
): Difference["severity"] {
  if (severity !== "info") return severity;
  if (refusesClosing && direction === "in" && CLOSING_KIND.test(kind)) return "breaking";
  if (warnsOfRemoval && direction === "in" && DROPPED_KIND.test(kind)) return "warning";
  return steers && STEERING_KIND.test(kind) ? "behaviour" : severity;
}

const OPPOSITES: Readonly<Record<string, string>> = {
  ADDED: "REMOVED",
  EXTENDED: "NARROWED",
  FROM: "TO",
  NARROWED: "EXTENDED",
  REMOVED: "ADDED",
  TO: "FROM",
};

/**
 * The kind from the point of view of the artefact's author. For an output the engine's reader is the earlier version,
 * so a member that the new version adds is one that the reader lacks.
 */
function opposite(kind: string): string {
  return kind
    .split("_")
    .map((word) => OPPOSITES[word] ?? word)
    .join("_");
}

/** The content model of an object became closed, or narrower. */
const CLOSING_KIND = /^(?:ADDITIONAL|UNEVALUATED)_PROPERTIES_(?:REMOVED|NARROWED)$/;

/** Converts a pointer into a part to one into its artefact; pointers into registered references are unchanged. */
function rebased(
  pointer: string | null,
  { pointer: partPointer, placeOf }: Pick<ArtefactPart, "pointer" | "placeOf">,
): string | null {
  if (pointer === null || partPointer === null) return null;
  if (pointer.includes("#")) return pointer;
  return placeOf === undefined ? `${partPointer}${pointer}` : placeOf(pointer);
}

/** Differences between the built schemas, whose locations cannot be mapped to the artefact. */
function* rebuilt(
  own: readonly (readonly [number, Difference])[],
  sides: { reader: ArtefactPart; writer: ArtefactPart },
  direction: Direction,
  options: WitnessOptions,
): Sliced<Difference[]> {
  const compared = yield* jsonSchema.compareInSlices(sides.reader.model, sides.writer.model, {
    ...options,
    policy: "semantic",
  });
  const found = compared.ok ? compared.value.differences : [];
  return own.map(([, difference]) => {
    const same = found.find((each) => {
      const placed = toArtefact(each, sides, direction);
      const { kind, reader_pointer, writer_pointer } = difference;
      return (
        placed.kind === kind && placed.reader_pointer === reader_pointer && placed.writer_pointer === writer_pointer
      );
    });
    return same ? { ...same, severity: difference.severity } : difference;
  });
}

function unrebased(pointer: string | null, part: ArtefactPart): string | null {
  // A part that is not declared has no places, except its root for the engine.
  if (pointer === null) return part.pointer === null ? "" : null;
  return part.pointer !== null && pointer.startsWith(part.pointer) ? pointer.slice(part.pointer.length) : pointer;
}

/** Witnesses of the differences that lie in parts; undefined for the others. */
export function* partWitnessesInSlices(
  reader: readonly ArtefactPart[],
  writer: readonly ArtefactPart[],
  differences: readonly Difference[],
  options: WitnessOptions,
): Sliced<(Witness | undefined)[]> {
  const witnesses: (Witness | undefined)[] = differences.map(() => undefined);
  for (const part of reader) {
    const earlier = writer.find(({ declaration }) => declaration.name === part.declaration.name);
    if (earlier === undefined) continue;
    for (const direction of directionsOf(part.declaration.variance)) {
      const sides = sidesOf(direction, part, earlier);
      const own = [...differences.entries()].filter(
        ([, difference]) => difference.part?.name === part.declaration.name && difference.part.variance === direction,
      );
      if (own.length === 0) continue;
      const isBuilt = part.placeOf !== undefined || earlier.placeOf !== undefined;
      const search = { ...options, isBareRootEmpty: part.declaration.isBareEmpty };
      const inSchema = isBuilt
        ? yield* rebuilt(own, sides, direction, search)
        : own.map(([, difference]) => toSchema(difference, sides, direction));
      const { reader: taker, writer: giver } = sides;
      const found = yield* jsonSchema.witnessesInSlices(taker.model, giver.model, inSchema, search);
      // Only a writer of undeclared members sends what a closed content model refuses.
      const closing = own.flatMap(([index], at) => (CLOSING_KIND.test(inSchema[at]!.kind) ? [{ index, at }] : []));
      const undeclared = { ...search, writers: "any" as const };
      const sent = yield* jsonSchema.witnessesInSlices(
        taker.model,
        giver.model,
        closing.map(({ at }) => inSchema[at]!),
        undeclared,
      );
      for (const [at, [index]] of own.entries()) witnesses[index] = found[at];
      for (const [at, { index }] of closing.entries()) witnesses[index] = sent[at];
    }
  }
  return witnesses;
}

/** The difference as the JSON engine reported it. */
function toSchema(
  difference: Difference,
  { reader, writer }: { reader: ArtefactPart; writer: ArtefactPart },
  direction: Direction,
) {
  const { reader_pointer: first, writer_pointer: second } = difference;
  const [read, written] = direction === "in" ? [first, second] : [second, first];
  return {
    ...difference,
    kind: direction === "in" ? difference.kind : opposite(difference.kind),
    reader_pointer: unrebased(read, reader),
    writer_pointer: unrebased(written, writer),
  };
}

/** The fields of every part, below the part's name. */
export function partFields(parts: readonly ArtefactPart[]): SchemaField[] {
  return parts
    .filter(({ pointer }) => pointer !== null)
    .flatMap(({ declaration, model }) =>
      jsonSchema.fields(model).map((field) => ({ ...field, path: `${declaration.name}.${field.path}` })),
    );
}
