/**
 * Objects: whether every property that the writer may produce satisfies the reader's schema, and no required one is
 * missing.
 */
import type { Sliced } from "../../../slices.ts";
import { isFree } from "./declared.ts";
import { collectTraces, type FoundDifference, FoundList, NONE, writerPointer } from "./found.ts";
import { checkAdditional, checkNames, checkPattern, checkUnevaluated } from "./inclusion-unnamed.ts";
import type { Check, Proof } from "./proof.ts";
import { classifyNames, writerPlace } from "./property-names.ts";
import type { Aspect } from "./relevance.ts";
import type { State } from "./state.ts";
import { type LazyView, TYPE, type View } from "./view.ts";

export function* checkObject(proof: Proof, state: State, reader: View): Sliced<readonly FoundDifference[]> {
  if ((state.types & TYPE.object) === 0) return NONE;
  const found = new FoundList();
  for (const [aspect, check] of checksOf(proof, reader)) {
    proof.meter.spend(0.2, reader.pointer);
    const ofObjects: Check = (each) => ((each.types & TYPE.object) === 0 ? NONE : check(each));
    if (found.add(yield* proof.split(state, reader, aspect, ofObjects)) && proof.isQuiet) break;
  }
  return found.items;
}

function* checksOf(proof: Proof, reader: View): Generator<[Aspect, Check]> {
  for (const [index, name] of reader.required.entries()) {
    yield [{ property: name }, (each) => checkRequired(each, reader, name, index)];
  }
  if (reader.minProperties > 0 || reader.maxProperties !== undefined) {
    yield ["object", (each) => checkCounts(each, reader)];
  }
  for (const [name, schema] of reader.properties) {
    yield [{ property: name }, (each) => checkProperty(proof, each, reader, name, schema)];
  }
  for (const [pattern, schema] of reader.patternProperties) {
    yield ["object", (each) => checkPattern(proof, each, reader, pattern, schema)];
  }
  if (reader.additionalProperties && !isFree(reader.additionalProperties())) {
    yield ["object", (each) => checkAdditional(proof, each, reader)];
  }
  if (reader.propertyNames) yield ["object", (each) => checkNames(proof, each, reader)];
  for (const [name, names] of reader.dependentRequired) {
    for (const other of names) yield ["object", (each) => checkDependent(proof, each, reader, name, other)];
  }
  for (const [name, schema] of reader.dependentSchemas) {
    yield ["all", (each) => checkDependentSchema(proof, each, name, schema)];
  }
  if (reader.unevaluatedProperties && !isFree(reader.unevaluatedProperties())) {
    yield ["object", (each) => checkUnevaluated(proof, each, reader)];
  }
}

function checkRequired(state: State, reader: View, name: string, index: number): readonly FoundDifference[] {
  if (state.shape.required.has(name)) return NONE;
  if (state.values?.every((value) => value.type !== "object" || value.members.has(name))) return NONE;
  const isNamed = state.declared === null || state.declared.names.has(name);
  return [
    {
      kind: "REQUIRED_ATTRIBUTE_ADDED",
      reader: reader.at("required", index),
      writer: writerPlace(state, name) ?? writerPointer(state),
      message: isNamed
        ? `The reader requires "${name}"; the writer may omit it.`
        : `The reader requires "${name}", which the writer does not declare.`,
      fix: `Make "${name}" optional in the reader, or require it in the writer first.`,
      property: name,
      traces: [{ at: "end", state: withoutName(state, name), reader, hints: [] }],
    },
  ];
}

/** The knowledge about values without the property: the form of a witness against `required`. */
function withoutName(state: State, name: string): State {
  return state.with({ known: [state.states.views.absent(name)] });
}

function checkCounts(state: State, reader: View): readonly FoundDifference[] {
  const { shape } = state;
  const found: FoundDifference[] = [];
  const least = Math.max(shape.minProperties, shape.required.size);
  if (reader.minProperties > least) {
    found.push({
      kind: shape.minProperties > 0 ? "MIN_PROPERTIES_INCREASED" : "MIN_PROPERTIES_ADDED",
      reader: reader.at("minProperties"),
      writer: writerPointer(state),
      message: `The reader requires at least ${reader.minProperties} properties; the writer may produce fewer.`,
      fix: `Lower the reader's minProperties to ${least}.`,
      traces: [{ at: "end", state: counted(state, "maxProperties", reader.minProperties - 1), reader, hints: [{}] }],
    });
  }
  const most = mostProperties(state);
  if (reader.maxProperties !== undefined && reader.maxProperties < most) {
    found.push({
      kind: shape.maxProperties === undefined ? "MAX_PROPERTIES_ADDED" : "MAX_PROPERTIES_DECREASED",
      reader: reader.at("maxProperties"),
      writer: writerPointer(state),
      message: `The reader accepts at most ${reader.maxProperties} properties; the writer may produce more.`,
      fix: Number.isFinite(most)
        ? `Raise the reader's maxProperties to ${most}.`
        : "Remove maxProperties from the reader.",
      traces: [{ at: "end", state: counted(state, "minProperties", reader.maxProperties + 1), reader, hints: [] }],
    });
  }
  return found;
}

/** The knowledge about values with a given number of properties, for witnesses. */
function counted(state: State, keyword: "minProperties" | "maxProperties", count: number): State {
  return state.with({ known: [state.states.views.counting(keyword, count)] });
}

function mostProperties(state: State): number {
  const limit = state.shape.maxProperties ?? Number.POSITIVE_INFINITY;
  const { names, patterns, hasOthers } = classifyNames(state);
  if (patterns.length > 0 || hasOthers) return limit;
  return Math.min(limit, names.filter((name) => state.mayHave(name)).length);
}

function* checkProperty(
  proof: Proof,
  state: State,
  reader: View,
  name: string,
  schema: LazyView,
): Sliced<readonly FoundDifference[]> {
  if (!state.admitsName(name)) return NONE;
  const part = state.property(name);
  if (part.isEmpty()) return NONE;
  const found = yield* proof.descend(state, { property: name }, part, schema());
  if (found.length === 0 || part.seeds.written.length + part.seeds.known.length > 0) return found;
  return [
    {
      kind: "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
      reader: reader.at("properties", name),
      writer: writerPointer(state),
      message: `The reader constrains "${name}"; the writer does not declare it and may produce any value there.`,
      fix: 'Close the writer with "additionalProperties": false, or let the check assume that writers write declared properties only.',
      property: name,
      traces: collectTraces(found),
    },
  ];
}

function* checkDependent(
  proof: Proof,
  state: State,
  reader: View,
  name: string,
  other: string,
): Sliced<readonly FoundDifference[]> {
  if (!state.mayHave(name)) return NONE;
  const present = state.with({ known: [proof.views.present(name)] });
  if (present.shape.required.has(other) || (yield* proof.isEmpty(present))) return NONE;
  if (state.values?.every((value) => value.type !== "object" || !value.members.has(name) || value.members.has(other)))
    return NONE;
  const known = [...state.atoms].find(({ view }) => view.location && view.dependentRequired.has(name));
  return [
    {
      kind: known ? "DEPENDENCY_ARRAY_EXTENDED" : "DEPENDENCY_ARRAY_ADDED",
      reader: reader.at("dependentRequired", name),
      writer: known ? known.view.at("dependentRequired", name) : (writerPlace(state, name) ?? writerPointer(state)),
      message: `The reader requires "${other}" where "${name}" is present; the writer may omit it.`,
      traces: [{ at: "end", state: withoutName(present, other), reader, hints: [] }],
    },
  ];
}

function* checkDependentSchema(
  proof: Proof,
  state: State,
  name: string,
  schema: LazyView,
): Sliced<readonly FoundDifference[]> {
  if (!state.mayHave(name)) return NONE;
  const present = state.with({ known: [proof.views.present(name)] });
  return (yield* proof.isEmpty(present)) ? NONE : yield* proof.prove(present, schema());
}
