/** Objects: does every property that the writer may write satisfy what the reader says of it, and are none missing? */
import {
  addFound,
  type Found,
  type Inclusion,
  lazily,
  NONE,
  type Step,
  type Trace,
  tracesOf,
  writerPointer,
} from "./inclusion.ts";
import { evaluates } from "./inclusion-evaluated.ts";
import { literalPattern, type StringAnswer, type StringQuery } from "./pattern-search.ts";
import type { State } from "./state.ts";
import { type LazyView, TYPE, unaliased, type View } from "./view.ts";

export function checkObject(inclusion: Inclusion, state: State, reader: View): readonly Found[] {
  if ((state.types & TYPE.object) === 0) return NONE;
  const found: Found[] = [];
  const take = (check: (each: State) => readonly Found[], name?: string) =>
    addFound(
      found,
      inclusion.split(state, false, (each) => ((each.types & TYPE.object) === 0 ? NONE : check(each)), name),
    ) && inclusion.isQuiet;
  for (const [index, name] of reader.required.entries()) {
    inclusion.meter.spend(0.2, reader.pointer);
    if (take((each) => checkRequired(each, reader, name, index), name)) return found;
  }
  if (take((each) => checkCounts(each, reader))) return found;
  for (const [name, schema] of reader.properties) {
    inclusion.meter.spend(0.2, reader.pointer);
    if (take((each) => checkProperty(inclusion, each, reader, name, schema), name)) return found;
  }
  for (const [pattern, schema] of reader.patternProperties) {
    if (take((each) => checkPattern(inclusion, each, reader, pattern, schema))) return found;
  }
  if (reader.additionalProperties && !isFree(reader.additionalProperties)) {
    if (take((each) => checkAdditional(inclusion, each, reader))) return found;
  }
  if (reader.propertyNames && take((each) => checkNames(inclusion, each, reader))) return found;
  for (const [name, names] of reader.dependentRequired) {
    for (const other of names) if (take((each) => checkDependent(inclusion, each, reader, name, other))) return found;
  }
  for (const [name, schema] of reader.dependentSchemas) {
    if (take((each) => checkDependentSchema(inclusion, each, name, schema))) return found;
  }
  if (reader.unevaluatedProperties && !isFree(reader.unevaluatedProperties)) {
    if (take((each) => checkUnevaluated(inclusion, each, reader))) return found;
  }
  return found;
}

function isFree(schema: LazyView): boolean {
  const view = unaliased(schema());
  return view.isTrivial && view.constant !== false;
}

function checkRequired(state: State, reader: View, name: string, index: number): readonly Found[] {
  if (state.shape.required.has(name)) return NONE;
  if (state.values?.every((value) => value.type !== "object" || value.members.has(name))) return NONE;
  const isNamed = state.declared === null || state.declared.names.has(name);
  return [
    {
      kind: "REQUIRED_ATTRIBUTE_ADDED",
      reader: reader.at("required", index),
      writer: writerPlace(state, name) ?? writerPointer(state),
      message: isNamed
        ? `The reader requires "${name}", the writer may leave it out.`
        : `The reader requires "${name}", which the writer does not declare.`,
      fix: `Make "${name}" optional in the reader, or require it in the writer first.`,
      property: name,
      traces: [{ at: "end", state: withoutName(state, name), reader, hints: [] }],
    },
  ];
}

/** What is known of values without the property: what a witness against `required` looks like. */
function withoutName(state: State, name: string): State {
  return state.with({ known: [state.states.views.absent(name)] });
}

/** Where the writer names a property; null where it does not. */
function writerPlace(state: State, name: string): string | null {
  const atom = state.atoms.find(({ view, isWritten }) => isWritten && view.location && view.properties.has(name));
  return atom ? atom.view.properties.get(name)!().pointer : null;
}

function checkCounts(state: State, reader: View): readonly Found[] {
  const { shape } = state;
  const found: Found[] = [];
  const least = Math.max(shape.minProperties, shape.required.size);
  if (reader.minProperties > least) {
    found.push({
      kind: shape.minProperties > 0 ? "MIN_PROPERTIES_INCREASED" : "MIN_PROPERTIES_ADDED",
      reader: reader.at("minProperties"),
      writer: writerPointer(state),
      message: `The reader accepts objects of at least ${reader.minProperties} properties only, the writer may write fewer.`,
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
      message: `The reader accepts objects of at most ${reader.maxProperties} properties only, the writer may write more.`,
      fix: Number.isFinite(most)
        ? `Raise the reader's maxProperties to ${most}.`
        : "Remove maxProperties from the reader.",
      traces: [{ at: "end", state: counted(state, "minProperties", reader.maxProperties + 1), reader, hints: [] }],
    });
  }
  return found;
}

/** What is known of values whose number of properties is what a witness needs. */
function counted(state: State, keyword: "minProperties" | "maxProperties", count: number): State {
  return state.with({ known: [state.states.views.counting(keyword, count)] });
}

function mostProperties(state: State): number {
  const limit = state.shape.maxProperties ?? Number.POSITIVE_INFINITY;
  const { names, patterns, hasOthers } = namesOf(state);
  if (patterns.length > 0 || hasOthers) return limit;
  return Math.min(limit, names.filter((name) => state.mayHave(name)).length);
}

/** The names that may come, in classes: by name, by pattern, and all others. */
function namesOf(state: State): { names: string[]; patterns: string[]; hasOthers: boolean } {
  const names = new Set<string>();
  const patterns = new Set<string>();
  for (const { view } of state.atoms) {
    for (const name of [...view.properties.keys(), ...view.required]) names.add(name);
    for (const pattern of view.patternProperties.keys()) patterns.add(pattern);
  }
  if (state.declared === null) {
    return { names: [...names], patterns: [...patterns], hasOthers: !state.otherProperty().isEmpty() };
  }
  for (const name of state.declared.names) names.add(name);
  for (const pattern of state.declared.patterns) patterns.add(pattern);
  const hasOthers = state.declared.hasAdditional && !state.otherProperty().isEmpty();
  // A pattern that the writer does not declare still tells names apart, but makes none appear.
  const mayCome = state.declared.hasAdditional ? patterns : state.declared.patterns;
  return { names: [...names], patterns: [...mayCome], hasOthers };
}

function checkProperty(
  inclusion: Inclusion,
  state: State,
  reader: View,
  name: string,
  schema: LazyView,
): readonly Found[] {
  if (!state.mayHave(name)) return NONE;
  const part = state.property(name);
  const found = inclusion.descend(state, { property: name }, part, schema());
  if (found.length === 0 || part.seeds.written.length + part.seeds.known.length > 0) return found;
  return [
    {
      kind: "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
      reader: reader.at("properties", name),
      writer: writerPointer(state),
      message: `The reader says what "${name}" is; the writer does not name it and may write anything there.`,
      fix: 'Close the writer with "additionalProperties": false, or let the check assume that writers write declared properties only.',
      property: name,
      traces: tracesOf(found),
    },
  ];
}

function checkPattern(
  inclusion: Inclusion,
  state: State,
  reader: View,
  pattern: string,
  schema: LazyView,
): readonly Found[] {
  const found: Found[] = [];
  const { names, patterns, hasOthers } = namesOf(state);
  for (const name of names) {
    if (inclusion.patterns.matches(pattern, name) === false || !state.mayHave(name)) continue;
    addFound(found, inclusion.descend(state, { property: name }, state.property(name), schema()));
  }
  for (const written of patterns) {
    const part = state.patternProperty(written);
    if (part.isEmpty()) continue;
    const name = written === pattern ? UNKNOWN : inclusion.search.find(namedBy([written, pattern], []));
    if (name.kind === "none") continue;
    addFound(found, inclusion.descend(state, stepTo(name, written), part, schema()));
  }
  const other = hasOthers
    ? inclusion.search.find(namedBy([pattern], [...patterns, ...names.map(literalPattern)]))
    : NO_NAME;
  if (other.kind === "none") return found;
  const others = inclusion.descend(state, stepTo(other, pattern), state.otherProperty(), schema());
  const [first] = others;
  if (first && state.otherProperty().seeds.written.length === 0) {
    addFound(found, [
      {
        kind: "PATTERN_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
        reader: reader.at("patternProperties", pattern),
        writer: writerPointer(state),
        message: `The reader says what properties that match ${pattern} are; the writer may write anything there.`,
        traces: tracesOf(others),
      },
    ]);
  } else addFound(found, others);
  return found;
}

const UNKNOWN: StringAnswer = { kind: "unknown" };
const NO_NAME: StringAnswer = { kind: "none" };

function namedBy(matching: readonly string[], notMatching: readonly string[]): StringQuery {
  return { matching, notMatching, minLength: 0, maxLength: undefined };
}

function stepTo(name: StringAnswer, pattern: string): Step {
  return name.kind === "found" ? { property: name.text } : { pattern };
}

/** What the reader says of names it neither lists nor matches. */
function checkAdditional(inclusion: Inclusion, state: State, reader: View): readonly Found[] {
  const isNamed = (name: string) =>
    reader.properties.has(name) ||
    [...reader.patternProperties.keys()].some((pattern) => inclusion.patterns.matches(pattern, name));
  const covering = [...reader.patternProperties.keys(), ...[...reader.properties.keys()].map(literalPattern)];
  const isCovered = (pattern: string) => reader.patternProperties.has(pattern);
  const stray = (pattern: string) => inclusion.search.find(namedBy([pattern], covering));
  return checkRest(inclusion, state, reader, "additionalProperties", isNamed, isCovered, stray);
}

function checkRest(
  inclusion: Inclusion,
  state: State,
  reader: View,
  keyword: "additionalProperties" | "unevaluatedProperties",
  isNamed: (name: string) => boolean,
  isCovered: (pattern: string) => boolean,
  /** A name that a pattern of the writer matches and that the reader neither lists nor matches. */
  stray: (pattern: string) => StringAnswer,
): readonly Found[] {
  const schema = lazily(reader[keyword])!;
  const refuses = schema.constant === false;
  const prefix = keyword === "additionalProperties" ? "ADDITIONAL" : "UNEVALUATED";
  const { names, patterns, hasOthers } = namesOf(state);
  const found: Found[] = [];
  const refusal = (step: Step, part: State, kind: string, message: string, writer: string | null): Found => {
    const end: Trace = { at: "end", state: part, reader: schema, hints: [] };
    const fix = `Allow it in the reader: remove "${keyword}": false or name it.`;
    return { kind, reader: reader.at(keyword), writer, message, fix, traces: [{ at: "step", state, step, next: end }] };
  };
  for (const name of names) {
    if (isNamed(name) || !state.mayHave(name)) continue;
    const part = state.property(name);
    if (!refuses) {
      addFound(found, inclusion.descend(state, { property: name }, part, schema));
      continue;
    }
    if (inclusion.isEmpty(part)) continue;
    const message = `The writer may write the property "${name}", the reader refuses it.`;
    const place = writerPlace(state, name) ?? writerPointer(part) ?? writerPointer(state);
    const removed = refusal({ property: name }, part, "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL", message, place);
    addFound(found, [{ ...removed, property: name }]);
  }
  for (const pattern of patterns) {
    const part = state.patternProperty(pattern);
    if (isCovered(pattern) || part.isEmpty()) continue;
    const name = stray(pattern);
    if (name.kind === "none") continue;
    const step = stepTo(name, pattern);
    if (!refuses) addFound(found, inclusion.descend(state, step, part, schema));
    else if (!inclusion.isEmpty(part)) {
      const message = `The writer may write properties that match ${pattern}, the reader refuses those it does not name.`;
      const place = writerPointer(part) ?? writerPointer(state);
      addFound(found, [refusal(step, part, "PATTERN_PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL", message, place)]);
    }
  }
  if (!hasOthers) return found;
  const part = state.otherProperty();
  if (!refuses) {
    const others = inclusion.descend(state, { other: true }, part, schema);
    const [first] = others;
    if (first === undefined) return found;
    if (part.seeds.written.length > 0) addFound(found, others);
    else {
      addFound(found, [
        {
          kind: `${prefix}_PROPERTIES_NARROWED`,
          reader: reader.at(keyword),
          writer: writerPointer(state),
          message: "The reader constrains properties it does not name; the writer may write any.",
          traces: tracesOf(others),
        },
      ]);
    }
  } else if (!inclusion.isEmpty(part)) {
    const message = "The reader refuses properties it does not name; the writer may write any.";
    addFound(found, [
      refusal(
        { other: true },
        part,
        `${prefix}_PROPERTIES_REMOVED`,
        message,
        writerPointer(part) ?? writerPointer(state),
      ),
    ]);
  }
  return found;
}

function checkNames(inclusion: Inclusion, state: State, reader: View): readonly Found[] {
  const { names, patterns, hasOthers } = namesOf(state);
  const schema = reader.propertyNames!();
  const { views, states } = inclusion;
  const said = state.atoms.flatMap(({ view }) => (view.propertyNames ? [view.propertyNames()] : []));
  const nameState = (known: readonly View[]) =>
    states.of({ written: said, known: [views.ofTypes(TYPE.string), ...known], nots: [], declaring: null });
  const refused = (step: Step, message: string, end: State): Found => ({
    kind: "PROPERTY_NAMES_NARROWED",
    reader: reader.at("propertyNames"),
    writer: writerPointer(state),
    message,
    traces: [{ at: "step", state, step, next: { at: "end", state: end, reader: schema, hints: [] } }],
  });
  const found: Found[] = [];
  for (const name of names) {
    if (!state.mayHave(name) || inclusion.evaluator.accepts(schema, { type: "string", start: 0, value: name }) === true)
      continue;
    addFound(found, [
      refused(
        { property: name },
        `The writer may write the property "${name}", whose name the reader refuses.`,
        state.property(name),
      ),
    ]);
  }
  for (const pattern of patterns) {
    if (state.patternProperty(pattern).isEmpty()) continue;
    if (inclusion.holds(nameState([views.matching(pattern)]), schema)) continue;
    const message = `It cannot be shown that the reader accepts all names that match ${pattern}, which the writer may write.`;
    addFound(found, [refused({ pattern }, message, state.patternProperty(pattern))]);
  }
  if (hasOthers) {
    const inner = inclusion.prove(nameState([]), schema);
    const [first] = inner;
    if (first) {
      const message = "The writer may write properties of any name, the reader restricts their names.";
      const end = refused({ other: true }, message, state.otherProperty());
      addFound(found, [
        { ...end, traces: tracesOf(inner).map((next): Trace => ({ at: "step", state, step: { name: true }, next })) },
      ]);
    }
  }
  return found;
}

function checkDependent(
  inclusion: Inclusion,
  state: State,
  reader: View,
  name: string,
  other: string,
): readonly Found[] {
  if (!state.mayHave(name)) return NONE;
  const present = state.with({ known: [inclusion.views.present(name)] });
  if (present.shape.required.has(other) || inclusion.isEmpty(present)) return NONE;
  if (state.values?.every((value) => value.type !== "object" || !value.members.has(name) || value.members.has(other)))
    return NONE;
  const known = [...state.atoms].find(({ view }) => view.location && view.dependentRequired.has(name));
  return [
    {
      kind: known ? "DEPENDENCY_ARRAY_EXTENDED" : "DEPENDENCY_ARRAY_ADDED",
      reader: reader.at("dependentRequired", name),
      writer: known ? known.view.at("dependentRequired", name) : (writerPlace(state, name) ?? writerPointer(state)),
      message: `The reader requires "${other}" where there is "${name}", the writer may leave it out.`,
      traces: [{ at: "end", state: withoutName(present, other), reader, hints: [] }],
    },
  ];
}

function checkDependentSchema(inclusion: Inclusion, state: State, name: string, schema: LazyView): readonly Found[] {
  if (!state.mayHave(name)) return NONE;
  const present = state.with({ known: [inclusion.views.present(name)] });
  return inclusion.isEmpty(present) ? NONE : inclusion.prove(present, schema());
}

function checkUnevaluated(inclusion: Inclusion, state: State, reader: View): readonly Found[] {
  const isNamed = (name: string) =>
    evaluates(inclusion, state, reader, reader, (view) => {
      if (view.properties.has(name)) return true;
      return [...view.patternProperties.keys()].some((pattern) => inclusion.patterns.matches(pattern, name));
    });
  const isCovered = (pattern: string) =>
    evaluates(inclusion, state, reader, reader, (view) => view.patternProperties.has(pattern));
  if (evaluates(inclusion, state, reader, reader, () => false)) return NONE;
  return checkRest(inclusion, state, reader, "unevaluatedProperties", isNamed, isCovered, () => UNKNOWN);
}
