/** The reader's constraints on undeclared properties: by patterns, on all others, and on their names. */
import type { Sliced } from "../../../slices.ts";
import { collectTraces, type FoundDifference, FoundList, type Step, type Trace, writerPointer } from "./found.ts";
import { evaluates } from "./inclusion-evaluated.ts";
import { literalPattern, type StringAnswer } from "./pattern-search.ts";
import type { Proof } from "./proof.ts";
import { classifyNames, findName, findOtherName, type NameClasses, writerPlace } from "./property-names.ts";
import type { State } from "./state.ts";
import { type LazyView, TYPE, unaliased, type View } from "./view.ts";

/** The writer's patterns that are tried for names that match two others. */
const MAX_TRIED_PATTERNS = 8;

export function* checkPattern(
  proof: Proof,
  state: State,
  reader: View,
  pattern: string,
  schema: LazyView,
): Sliced<readonly FoundDifference[]> {
  const found = new FoundList();
  const classes = classifyNames(state);
  for (const name of classes.names) {
    if (proof.patterns.matches(pattern, name) === false || !state.mayHave(name)) continue;
    found.add(yield* proof.descend(state, { property: name }, state.property(name), schema()));
  }
  for (const written of classes.patterns) {
    proof.meter.spend(0.5, reader.pointer);
    if (proof.meter.isSliceOver()) yield proof.meter.takeMicros();
    if (state.patternProperty([written]).isEmpty()) continue;
    const name = written === pattern ? UNKNOWN : findName(proof.search, classes, [written, pattern], []);
    if (name.kind === "none") continue;
    const part = state.patternProperty(patternsOfAll(proof, classes, written, pattern));
    found.add(yield* proof.descend(state, stepTo(name, written), part, schema()));
  }
  const other = findOtherName(proof.search, classes, [pattern], [], []);
  if (other.kind === "none") return found.items;
  const others = yield* proof.descend(state, stepTo(other, pattern), state.otherProperty(), schema());
  const isUnsaid = others.length > 0 && state.otherProperty().seeds.written.length === 0;
  found.add(isUnsaid ? [patternAdded(state, reader, pattern, others)] : others);
  return found.items;
}

function patternAdded(
  state: State,
  reader: View,
  pattern: string,
  others: readonly FoundDifference[],
): FoundDifference {
  return {
    kind: "PATTERN_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
    reader: reader.at("patternProperties", pattern),
    writer: writerPointer(state),
    message: `The reader constrains properties that match ${pattern}; the writer may produce any value there.`,
    traces: collectTraces(others),
  };
}

const UNKNOWN: StringAnswer = { kind: "unknown" };

/** The writer's patterns that match every name that matches one of the writer's and one of the reader's patterns. */
function patternsOfAll(proof: Proof, classes: NameClasses, written: string, pattern: string): readonly string[] {
  if (written === pattern) return [written];
  const others = classes.patterns.filter((each) => each !== written);
  const implied = others
    .slice(0, MAX_TRIED_PATTERNS)
    .filter((each) => each === pattern || findName(proof.search, classes, [written, pattern], [each]).kind === "none");
  return others.includes(pattern) ? [...new Set([written, pattern, ...implied])] : [written, ...implied];
}

function stepTo(name: StringAnswer, pattern: string): Step {
  return name.kind === "found" ? { property: name.text } : { pattern };
}

/** The reader's constraints on names that none of its other keywords covers. */
type Rest = {
  readonly proof: Proof;
  readonly state: State;
  readonly reader: View;
  readonly keyword: "additionalProperties" | "unevaluatedProperties";
  readonly schema: View;
  readonly classes: NameClasses;
  /** Whether another keyword covers a name, or every name that a pattern matches. */
  readonly coversName: (name: string) => boolean | Sliced<boolean>;
  readonly coversPattern: (pattern: string) => boolean | Sliced<boolean>;
  /** A name that a pattern of the writer matches and that no other keyword covers. */
  readonly strayOf: (pattern: string) => StringAnswer;
  /** A name that neither side declares. */
  readonly other: StringAnswer;
};

export function* checkAdditional(proof: Proof, state: State, reader: View): Sliced<readonly FoundDifference[]> {
  const patterns = [...reader.patternProperties.keys()];
  const names = [...reader.properties.keys()];
  const covering = [...patterns, ...names.map(literalPattern)];
  const classes = classifyNames(state);
  return yield* checkRest({
    proof,
    state,
    reader,
    keyword: "additionalProperties",
    schema: unaliased(reader.additionalProperties!()),
    classes,
    coversName: (name) =>
      reader.properties.has(name) || patterns.some((pattern) => proof.patterns.matches(pattern, name) === true),
    coversPattern: (pattern) => reader.patternProperties.has(pattern),
    strayOf: (pattern) => findName(proof.search, classes, [pattern], covering),
    other: findOtherName(proof.search, classes, [], patterns, names),
  });
}

export function* checkUnevaluated(proof: Proof, state: State, reader: View): Sliced<readonly FoundDifference[]> {
  const question = (covers: (view: View) => boolean) => ({ proof, state, root: reader, covers });
  if (yield* evaluates(question(NOTHING), reader)) return [];
  const coversName = (name: string) => (view: View) =>
    view.properties.has(name) ||
    [...view.patternProperties.keys()].some((pattern) => proof.patterns.matches(pattern, name) === true);
  return yield* checkRest({
    proof,
    state,
    reader,
    keyword: "unevaluatedProperties",
    schema: unaliased(reader.unevaluatedProperties!()),
    classes: classifyNames(state),
    coversName: (name) => evaluates(question(coversName(name)), reader),
    coversPattern: (pattern) =>
      evaluates(
        question((view) => view.patternProperties.has(pattern)),
        reader,
      ),
    strayOf: () => UNKNOWN,
    other: UNKNOWN,
  });
}

const NOTHING = () => false;

function* checkRest(rest: Rest): Sliced<readonly FoundDifference[]> {
  const found = new FoundList();
  for (const name of rest.classes.names) found.add(yield* checkRestName(rest, name));
  for (const pattern of rest.classes.patterns) found.add(yield* checkRestPattern(rest, pattern));
  if (rest.classes.hasOthers && rest.other.kind !== "none") found.add(yield* checkRestOthers(rest));
  return found.items;
}

function* checkRestName(rest: Rest, name: string): Sliced<readonly FoundDifference[]> {
  const { proof, state, reader, schema } = rest;
  proof.meter.spend(0.3, reader.pointer);
  const covered = rest.coversName(name);
  if ((typeof covered === "boolean" ? covered : yield* covered) || !state.admitsName(name)) return [];
  const part = state.property(name);
  if (part.isEmpty()) return [];
  if (schema.constant !== false) return yield* proof.descend(state, { property: name }, part, schema);
  if (yield* proof.isEmpty(part)) return [];
  const removed = refusal(
    rest,
    { property: name },
    part,
    "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL",
    `The writer may produce the property "${name}", which the reader refuses.`,
  );
  const writer = writerPlace(state, name) ?? removed.writer;
  return [{ ...removed, writer, property: name }];
}

function* checkRestPattern(rest: Rest, pattern: string): Sliced<readonly FoundDifference[]> {
  const { proof, state, reader, schema } = rest;
  proof.meter.spend(0.5, reader.pointer);
  const part = state.patternProperty([pattern]);
  const covered = rest.coversPattern(pattern);
  if ((typeof covered === "boolean" ? covered : yield* covered) || part.isEmpty()) return [];
  const name = rest.strayOf(pattern);
  if (name.kind === "none") return [];
  const step = stepTo(name, pattern);
  if (schema.constant !== false) return yield* proof.descend(state, step, part, schema);
  if (yield* proof.isEmpty(part)) return [];
  return [
    refusal(
      rest,
      step,
      part,
      "PATTERN_PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL",
      `The writer may produce properties that match ${pattern}; the reader refuses those it does not name.`,
    ),
  ];
}

function* checkRestOthers(rest: Rest): Sliced<readonly FoundDifference[]> {
  const { proof, state, reader, keyword, schema, other } = rest;
  const part = state.otherProperty();
  const step: Step = other.kind === "found" ? { property: other.text } : { other: true };
  const isAdditional = keyword === "additionalProperties";
  if (schema.constant === false) {
    if (yield* proof.isEmpty(part)) return [];
    const kind = isAdditional ? "ADDITIONAL_PROPERTIES_REMOVED" : "UNEVALUATED_PROPERTIES_REMOVED";
    return [
      refusal(rest, step, part, kind, "The reader refuses properties it does not name; the writer may produce any."),
    ];
  }
  const others = yield* proof.descend(state, step, part, schema);
  if (others.length === 0 || part.seeds.written.length > 0) return others;
  return [
    {
      kind: isAdditional ? "ADDITIONAL_PROPERTIES_NARROWED" : "UNEVALUATED_PROPERTIES_NARROWED",
      reader: reader.at(keyword),
      writer: writerPointer(state),
      message: "The reader constrains properties it does not name; the writer may produce any.",
      traces: collectTraces(others),
    },
  ];
}

function refusal(rest: Rest, step: Step, part: State, kind: string, message: string): FoundDifference {
  const { state, reader, keyword, schema } = rest;
  const end: Trace = { at: "end", state: part, reader: schema, hints: [] };
  return {
    kind,
    reader: reader.at(keyword),
    writer: writerPointer(part) ?? writerPointer(state),
    message,
    fix: `Allow it in the reader: remove "${keyword}": false or name it.`,
    traces: [{ at: "step", state, step, next: end }],
  };
}

export function* checkNames(proof: Proof, state: State, reader: View): Sliced<readonly FoundDifference[]> {
  const { names, patterns, hasOthers } = classifyNames(state);
  const schema = reader.propertyNames!();
  const found = new FoundList();
  const refused = (step: Step, message: string, end: State) => nameRefused(state, reader, schema, step, message, end);
  for (const name of names) {
    if (!state.mayHave(name)) continue;
    if (proof.evaluator.accepts(schema, { type: "string", start: 0, value: name }) === true) continue;
    const message = `The writer may produce the property "${name}", whose name the reader refuses.`;
    found.add([refused({ property: name }, message, state.property(name))]);
  }
  for (const pattern of patterns) {
    const part = state.patternProperty([pattern]);
    if (part.isEmpty()) continue;
    if (yield* proof.holds(nameStateOf(proof, state, [proof.views.matching(pattern)]), schema)) continue;
    const message = `It cannot be shown that the reader accepts all names that match ${pattern}, which the writer may produce.`;
    found.add([refused({ pattern }, message, part)]);
  }
  if (!hasOthers) return found.items;
  const inner = yield* proof.prove(nameStateOf(proof, state, []), schema);
  if (inner.length === 0) return found.items;
  const message = "The writer may produce properties of any name; the reader restricts their names.";
  const traces = collectTraces(inner).map((next): Trace => ({ at: "step", state, step: { name: true }, next }));
  found.add([{ ...refused({ other: true }, message, state.otherProperty()), traces }]);
  return found.items;
}

function nameStateOf({ views, states }: Proof, state: State, known: readonly View[]): State {
  const written = state.atoms.flatMap(({ view }) => (view.propertyNames ? [view.propertyNames()] : []));
  return states.of({ written, known: [views.ofTypes(TYPE.string), ...known], nots: [], declaring: null });
}

function nameRefused(
  state: State,
  reader: View,
  schema: View,
  step: Step,
  message: string,
  end: State,
): FoundDifference {
  return {
    kind: "PROPERTY_NAMES_NARROWED",
    reader: reader.at("propertyNames"),
    writer: writerPointer(state),
    message,
    traces: [{ at: "step", state, step, next: { at: "end", state: end, reader: schema, hints: [] } }],
  };
}
