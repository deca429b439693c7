/** Parses a schema source to a linked model: text or base64 descriptor, imports, and for new schemas all checks. */

import type {
  ParseOptions,
  ParseRefusal,
  ParseResult,
  ResolvedReference,
  SchemaProblem,
  SchemaSource,
  TextRefusal,
} from "../../format.ts";
import { ok, type Result, refuse } from "../../result.ts";
import { passesMicros, runAtOnce, type Sliced } from "../../slices.ts";
import { checkModel } from "../check/check.ts";
import { decodeDescriptor } from "../descriptor/base64.ts";
import { fileFromDescriptor, type ReadOptions } from "../descriptor/read.ts";
import {
  type Definition,
  extensionsByNumber,
  type Field,
  type ProtobufModel,
  type ProtoFile,
  resolveType,
} from "../model.ts";
import { optionsFromBytes } from "../options/bytes.ts";
import { builtinFile, descriptorModel, messageDefinition } from "./builtin-imports.ts";
import { parseFile } from "./file.ts";
import { type LinkProblem, type LinkResult, link } from "./link.ts";
import { MAX_ELEMENTS, ProtoTextError, textProblem } from "./tokens.ts";

/**
 * Parses a schema and all its imports. Through the Confluent API, unresolvable options and imports are kept as text, as
 * in the Confluent server; only types must resolve.
 */
export function parseProtobuf(source: SchemaSource, options: ParseOptions): ParseResult<ProtobufModel> {
  return runAtOnce(parseInSlices(source, options));
}

/** The same in slices, pausing between its passes and after each import. */
export function* parseInSlices(source: SchemaSource, options: ParseOptions): Sliced<ParseResult<ProtobufModel>> {
  const isLenient = options.strictness === "stored";
  const keepsUnresolved = options.strictness === "confluent" && options.validateFields !== true;
  const impliesMeta = options.strictness !== "new";
  const budget = { elements: 0 };
  const root = readRoot(source, isLenient, budget);
  if (!root.ok) return root;
  const passMicros = passesMicros(source.text.length);
  yield passMicros;
  let linked = yield* linkWith(root.value.file, source, budget, impliesMeta);
  if (!linked.ok) return linked;
  if (root.value.complete !== undefined) {
    // The extensions used in the descriptor's options are known only now.
    const { model } = linked.value;
    const completed = guard(() => root.value.complete!(readOptionsIn(model)));
    if (!completed.ok) return completed;
    yield passMicros;
    linked = yield* linkWith(completed.value, source, { elements: 0 }, impliesMeta);
    if (!linked.ok) return linked;
  }
  yield passMicros;
  const { model, problems } = linked.value;
  if (isLenient) return ok({ model, warnings: [...root.value.warnings, ...problems.map(withoutFile)] });
  const checked = checkModel(model, { keepsUnresolvedOptions: keepsUnresolved });
  yield passMicros;
  // Missing imports of an import do not concern this schema; a name defined twice does.
  const isOurs = ({ file, rule }: LinkProblem) =>
    rule === "duplicate_name" || (file === model.file && !(keepsUnresolved && rule === "unresolved_import"));
  const errors = [...problems.filter(isOurs).map(withoutFile), ...checked.errors];
  if (errors.length > 0) return refuse({ reason: "invalid", problems: errors });
  const elsewhere = problems.filter((problem) => !isOurs(problem)).map(withoutFile);
  return ok({ model, warnings: [...root.value.warnings, ...elsewhere, ...checked.warnings] });
}

type Root = Result<
  {
    file: ProtoFile;
    warnings: readonly SchemaProblem[];
    /** For a descriptor: the file with its options, once they can be interpreted. */
    complete?: (readOptions: ReadOptions) => ProtoFile;
  },
  ParseRefusal
>;

function readRoot({ text }: SchemaSource, isLenient: boolean, budget: { elements: number }): Root {
  const settings = { path: "", reference: null, isBuiltin: false };
  const parsed = parseFile(text, { ...settings, isLenient });
  if (parsed.ok) {
    budget.elements += parsed.value.elements;
    return ok({ file: parsed.value.file, warnings: parsed.value.warnings });
  }
  const descriptor = parsed.refusal.reason === "invalid" ? decodeDescriptor(text) : undefined;
  if (descriptor === undefined) return refuse({ reason: parsed.refusal.reason, problems: [parsed.refusal.problem] });
  const complete = (readOptions: ReadOptions) => fileFromDescriptor(descriptor, { ...settings, readOptions });
  const file = guard(() => complete(() => []));
  return file.ok ? ok({ file: file.value, warnings: [], complete }) : file;
}

function linkWith(
  root: ProtoFile,
  source: SchemaSource,
  budget: { elements: number },
  impliesMeta: boolean,
): Sliced<LinkResult> {
  return link(root, source, (reference) => readReference(reference, budget), builtinFile, { impliesMeta });
}

/** A referenced text was checked when it was registered, so it is only parsed. */
function readReference(
  { name, subject, version, source }: ResolvedReference,
  budget: { elements: number },
): Result<ProtoFile, TextRefusal> {
  const settings = { path: name, reference: { name, subject, version }, isBuiltin: false };
  const parsed = parseFile(source.text, { ...settings, isLenient: true });
  if (!parsed.ok) {
    const descriptor = parsed.refusal.reason === "invalid" ? decodeDescriptor(source.text) : undefined;
    if (descriptor === undefined) return parsed;
    const file = guard(() =>
      fileFromDescriptor(descriptor, { ...settings, readOptions: readOptionsIn(descriptorModel()) }),
    );
    return file.ok ? file : refuse({ reason: file.refusal.reason, problem: file.refusal.problems[0]! });
  }
  budget.elements += parsed.value.elements;
  if (budget.elements > MAX_ELEMENTS) {
    const message = `The schema and what it imports have more than ${MAX_ELEMENTS} elements.`;
    return refuse({ reason: "too_complex", problem: { rule: "too_many_elements", message } });
  }
  return ok(parsed.value.file);
}

/** Interprets options with a model's definitions, including custom options. */
function readOptionsIn(model: ProtobufModel): ReadOptions {
  const extensions = extensionsByNumber(model);
  const names = {
    message: (fullName: string) => messageDefinition(model, fullName) ?? messageDefinition(descriptorModel(), fullName),
    extension: (extendee: string, number: number) => extensions.get(extendee)?.get(number)?.[0],
    type: (field: Definition<Field>, name: string) =>
      resolveType(model, field, name) ?? resolveType(descriptorModel(), field, name),
  };
  return (kind, bytes) => optionsFromBytes(kind, bytes, names);
}

/** Converts a descriptor, whose elements have no positions. */
type Guarded<T> = Result<T, ParseRefusal>;

function guard<T>(make: () => T): Guarded<T> {
  try {
    return ok(make());
  } catch (error) {
    if (!(error instanceof ProtoTextError)) throw error;
    return refuse({ reason: error.reason, problems: [textProblem("", error)] });
  }
}

function withoutFile({ file, ...problem }: SchemaProblem & { file: ProtoFile }): SchemaProblem {
  return file.path === "" ? problem : { ...problem, message: `In "${file.path}": ${problem.message}` };
}
