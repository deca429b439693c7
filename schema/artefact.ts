/**
 * The common implementation of artefact formats: a text that is JSON of a given shape, parts, and the format's own
 * fields. A format defines how its fields are read and compared; the rest of the interface is here.
 */
import type { CompareOptions, Comparison, Difference } from "./compatibility.ts";
import type { DataOptions } from "./data.ts";
import type { FormatName, ParseOptions, ParseResult, SchemaFormat, SchemaProblem, SchemaSource } from "./format.ts";
import { jsonSchema } from "./json/format.ts";
import { parseJsonSchema } from "./json/parse/parse.ts";
import { validateInstance } from "./json/validate/validate.ts";
import {
  type JsonNode,
  type JsonObject,
  nodeAtPointer,
  parseJsonText,
  positionAt,
  toPlainValue,
  writeJsonText,
} from "./json-text.ts";
import {
  type ArtefactPart,
  comparePartsInSlices,
  type PartText,
  parsePartInSlices,
  partFields,
  partWitnessesInSlices,
} from "./parts.ts";
import type { Plan } from "./plan.ts";
import { ok, refuse } from "./result.ts";
import { passesMicros, runAtOnce, type Sliced } from "./slices.ts";
import type { Witness, WitnessOptions } from "./witness.ts";

export type ArtefactModel<Own> = {
  readonly source: SchemaSource;
  readonly root: JsonObject;
  /** The first part is the one that data is validated against, unless a request names another. */
  readonly parts: readonly ArtefactPart[];
  /** The format's own fields, with defaults filled in. */
  readonly own: Own;
};

/** How a format reads and compares the fields that are not parts. */
export type OwnFields<Own> = { own: Own; problems: readonly SchemaProblem[]; warnings: readonly SchemaProblem[] };

type ArtefactDescription<Own> = {
  name: FormatName;
  codeVersion: number;
  /** The JSON Schema of the whole text; parts are any JSON Schema. */
  shape: Readonly<Record<string, unknown>>;
  partsOf(root: JsonObject): PartText[];
  /** `parts` are parsed; `problems` refuse a new text and are not raised for a stored one. */
  readOwn(root: JsonObject, parts: readonly ArtefactPart[], source: SchemaSource): OwnFields<Own>;
  compareOwn(reader: ArtefactModel<Own>, writer: ArtefactModel<Own>): Difference[];
  /** The witness of a breaking difference between own fields. */
  witnessOwn(reader: ArtefactModel<Own>, writer: ArtefactModel<Own>, difference: Difference): Witness | undefined;
  /** A part's value as its sender writes it, such as the call around a tool's arguments. */
  datumOf?(writer: ArtefactModel<Own>, part: string, value: unknown): unknown;
  plan?(previous: ArtefactModel<Own>, next: ArtefactModel<Own>, differences: readonly Difference[]): Plan;
};

/** The most problems reported for one text; users do not read a longer list. */
const MAX_SHAPE_PROBLEMS = 20;

/** The format of an artefact. */
export function artefactFormat<Own>(description: ArtefactDescription<Own>): SchemaFormat<ArtefactModel<Own>> {
  type Model = ArtefactModel<Own>;
  const parseInSlices = (source: SchemaSource, options: ParseOptions) =>
    parseArtefactInSlices(description, source, options);
  const compareInSlices = (reader: Model, writer: Model, options: CompareOptions) =>
    compareArtefactsInSlices(description, reader, writer, options);
  const witnessesInSlices = (
    reader: Model,
    writer: Model,
    differences: readonly Difference[],
    options: WitnessOptions,
  ) => artefactWitnessesInSlices(description, reader, writer, differences, options);
  return {
    name: description.name,
    codeVersion: description.codeVersion,
    policies: ["semantic", "strict", "lenient"],
    parse: (source, options) => runAtOnce(parseInSlices(source, options)),
    parseInSlices,
    canonicalText: ({ root }) => writeJsonText(root),
    normalisedText: ({ root }) => writeJsonText(root, { sortKeys: true }),
    bundle: bundleArtefact,
    fields: ({ parts }) => partFields(parts),
    dialect: () => null,
    data: {
      validate: (model, value, options) => jsonSchema.data.validate(partFor(model, options).model, value, options),
      encode: (model, value, options) => jsonSchema.data.encode(partFor(model, options).model, value, options),
      decode: (model, bytes, options) => jsonSchema.data.decode(partFor(model, options).model, bytes, options),
    },
    compare: (reader, writer, options) => runAtOnce(compareInSlices(reader, writer, options)),
    compareInSlices,
    witnesses: (...args) => runAtOnce(witnessesInSlices(...args)),
    witnessesInSlices,
    ...(description.plan ? { plan: description.plan } : {}),
  };
}

/** The part a request names as its message, else the first. */
function partFor({ parts }: ArtefactModel<unknown>, { message }: DataOptions): ArtefactPart {
  return parts.find(({ declaration }) => declaration.name === message) ?? parts[0]!;
}

function* parseArtefactInSlices<Own>(
  description: ArtefactDescription<Own>,
  source: SchemaSource,
  { strictness }: ParseOptions,
): Sliced<ParseResult<ArtefactModel<Own>>> {
  const { text } = source;
  const parsed = parseJsonText(text);
  yield passesMicros(text.length);
  if (!parsed.ok) {
    return refuse({ reason: parsed.refusal.reason, problems: [{ pointer: "", ...parsed.refusal.problem }] });
  }
  const { root } = parsed.value;
  const misshapen = shapeProblems(description, text, root);
  yield passesMicros(text.length, 4);
  if (root.type !== "object" || misshapen.length > 0) return refuse({ reason: "invalid", problems: misshapen });
  const parts: ArtefactPart[] = [];
  const warnings: SchemaProblem[] = [];
  for (const part of description.partsOf(root)) {
    const read = yield* parsePartInSlices(source, root, part, strictness);
    if (!read.ok) return read;
    parts.push(read.value.model);
    warnings.push(...read.value.warnings);
  }
  const { own, problems, warnings: ownWarnings } = description.readOwn(root, parts, source);
  yield passesMicros(text.length);
  const place = (problem: SchemaProblem) => withPosition(text, root, problem);
  if (problems.length > 0 && strictness !== "stored") {
    const isTooComplex = problems.some(({ rule }) => rule === TOO_COMPLEX_RULE);
    return refuse({ reason: isTooComplex ? "too_complex" : "invalid", problems: problems.map(place) });
  }
  return ok({ model: { source, root, parts, own }, warnings: [...warnings, ...ownWarnings.map(place)] });
}

/** The rule name of problems that come from a limit, not from a rule of the format. */
export const TOO_COMPLEX_RULE = "too_complex";

function withPosition(text: string, root: JsonNode, problem: SchemaProblem): SchemaProblem {
  const node = nodeAtPointer(root, problem.pointer ?? "");
  if (node === undefined || problem.line !== undefined) return problem;
  return { ...problem, ...positionAt(text, node.start) };
}

/** Compiled once per format and isolate. */
const shapes = new Map<FormatName, ReturnType<typeof compileShape>>();

function compileShape(name: FormatName, shape: Readonly<Record<string, unknown>>) {
  const parsed = parseJsonSchema(
    { text: JSON.stringify(shape), references: [] },
    { strictness: "new", defaultDialect: "2020-12" },
  );
  if (!parsed.ok) throw new Error(`The shape of ${name} is invalid: ${parsed.refusal.problems[0]?.message}`);
  return parsed.value.model;
}

function shapeProblems(
  { name, shape }: Pick<ArtefactDescription<unknown>, "name" | "shape">,
  text: string,
  root: JsonNode,
): SchemaProblem[] {
  const model = shapes.get(name) ?? compileShape(name, shape);
  shapes.set(name, model);
  const checked = validateInstance(model, toPlainValue(root), { formats: false });
  if (!checked.ok) return [{ rule: checked.refusal.reason, message: checked.refusal.message, pointer: "" }];
  return checked.value.errors
    .slice(0, MAX_SHAPE_PROBLEMS)
    .map(({ keyword, message, pointer }) => withPosition(text, root, { rule: keyword, message, pointer }));
}

function* compareArtefactsInSlices<Own>(
  description: ArtefactDescription<Own>,
  reader: ArtefactModel<Own>,
  writer: ArtefactModel<Own>,
  options: CompareOptions,
): Sliced<Comparison> {
  const own = description.compareOwn(reader, writer);
  yield passesMicros(reader.source.text.length + writer.source.text.length);
  const compared = yield* comparePartsInSlices(reader.parts, writer.parts, options);
  if (!compared.ok) return compared;
  const { differences, differences_total } = compared.value;
  return ok({
    ...compared.value,
    differences: [...own, ...differences],
    ...(differences_total === undefined ? {} : { differences_total: differences_total + own.length }),
  });
}

function* artefactWitnessesInSlices<Own>(
  description: ArtefactDescription<Own>,
  reader: ArtefactModel<Own>,
  writer: ArtefactModel<Own>,
  differences: readonly Difference[],
  options: WitnessOptions,
): Sliced<Witness[]> {
  const inParts = yield* partWitnessesInSlices(reader.parts, writer.parts, differences, options);
  return differences.map((difference, index): Witness => {
    if (difference.severity !== "breaking") return notFound("The difference is not breaking, so it has no witness.");
    const found = inParts[index] ?? description.witnessOwn(reader, writer, difference);
    if (found === undefined) return notFound("No call, answer or row shows this difference.");
    const part = difference.part?.name;
    if (found.status !== "confirmed" || part === undefined || !description.datumOf) return found;
    return { ...found, datum: description.datumOf(writer, part, found.datum) };
  });
}

function notFound(reason: string): Witness {
  return { status: "not_found", reason };
}

/** The text with every part self-contained. */
function bundleArtefact({ root, parts }: ArtefactModel<unknown>): ReturnType<SchemaFormat<unknown>["bundle"]> {
  const members = new Map(root.members);
  for (const { pointer, model } of parts) {
    const name = pointer?.slice(1);
    if (name === undefined || !members.has(name)) continue;
    const bundled = jsonSchema.bundle(model);
    if (!bundled.ok) return bundled;
    const node = parseJsonText(bundled.value);
    if (node.ok) members.set(name, node.value.root);
  }
  return ok(writeJsonText({ ...root, members }));
}

/** A part that the text has under one of its names, or lacks. */
export function partAt(
  root: JsonObject,
  declaration: PartText["declaration"],
  names: readonly string[],
  absent: JsonNode,
): PartText {
  const name = names.find((each) => root.members.has(each));
  if (name === undefined) return { declaration, pointer: null, schema: absent };
  return { declaration, pointer: `/${name}`, schema: root.members.get(name)! };
}

/** The schema that accepts every value: the promise of an artefact that declares none. */
export const ANY_VALUE: JsonNode = { type: "boolean", start: 0, value: true };

/** A difference between members of two artefacts, at the same place in both. */
export function differenceAt(
  [reader, writer]: readonly [Pick<ArtefactModel<unknown>, "root">, Pick<ArtefactModel<unknown>, "root">],
  pointer: string,
  difference: Pick<Difference, "kind" | "message" | "severity" | "fix">,
): Difference {
  const at = ({ root }: Pick<ArtefactModel<unknown>, "root">) => (nodeAtPointer(root, pointer) ? pointer : null);
  return { ...difference, reader_pointer: at(reader), writer_pointer: at(writer) };
}

/** A witness that the artefact's own text proves. */
export function provenBy(format: FormatName, datum: unknown, result: string): Witness {
  return { status: "confirmed", datum, reader_result: result, confirmed_by: `${format} definition` };
}

/** A member as a plain value, or undefined. */
export function readMember(root: JsonObject, name: string): unknown {
  const node = root.members.get(name);
  return node === undefined ? undefined : toPlainValue(node);
}
