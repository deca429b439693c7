/** anyOf, oneOf, not and if: which of the reader's alternatives takes a value, and does none take it that must not? */
import { type Found, type Inclusion, NONE, writerPointer } from "./inclusion.ts";
import type { State } from "./state.ts";
import { type LazyView, unaliased, type View } from "./view.ts";

export function checkAlternatives(inclusion: Inclusion, state: State, reader: View): readonly Found[] {
  if (reader.anyOf.length > 0) {
    const found = checkAnyOf(inclusion, state, reader);
    if (found.length > 0) return found;
  }
  return reader.oneOf.length > 0 ? checkOneOf(inclusion, state, reader) : NONE;
}

function checkAnyOf(inclusion: Inclusion, state: State, reader: View): readonly Found[] {
  const views = reader.anyOf.map((view) => unaliased(view()));
  if (isTooEarly(inclusion, state, views)) return [noAlternative(state, reader, "anyOf")];
  if (views.some((view) => inclusion.mayHold(state, view) && inclusion.holds(state, view))) return NONE;
  return inclusion.isQuiet
    ? [noAlternative(state, reader, "anyOf")]
    : nearestAlternative(inclusion, state, reader, "anyOf", views);
}

function checkOneOf(inclusion: Inclusion, state: State, reader: View): readonly Found[] {
  const views = reader.oneOf.map((view) => unaliased(view()));
  if (isTooEarly(inclusion, state, views)) return [noAlternative(state, reader, "oneOf")];
  const taken = views.findIndex((view) => inclusion.mayHold(state, view) && inclusion.holds(state, view));
  if (taken === -1) {
    return inclusion.isQuiet
      ? [noAlternative(state, reader, "oneOf")]
      : nearestAlternative(inclusion, state, reader, "oneOf", views);
  }
  const overlap = views.findIndex((view, index) => index !== taken && !inclusion.excludes(state, view));
  if (overlap === -1) return NONE;
  return [
    {
      kind: "ONE_OF_OVERLAP",
      reader: reader.at("oneOf", overlap),
      writer: writerPointer(state),
      message: `The reader accepts exactly one of its alternatives; what fits number ${taken} may fit number ${overlap} as well.`,
      fix: "Use anyOf in the reader, or tell the alternatives apart by a constant.",
      traces: [{ at: "end", state: state.with({ known: [views[overlap]!] }), reader, hints: [] }],
    },
  ];
}

/** Many alternatives are tried case by case only: one alternative seldom takes all cases of the writer. */
function isTooEarly(inclusion: Inclusion, state: State, views: readonly View[]): boolean {
  return views.length > MAX_EARLY_ALTERNATIVES && inclusion.hasCases(state);
}

const MAX_EARLY_ALTERNATIVES = 8;

/** The alternative that is most likely meant, if there is one: its differences say more than that none fits. */
function nearestAlternative(
  inclusion: Inclusion,
  state: State,
  reader: View,
  keyword: "anyOf" | "oneOf",
  views: readonly View[],
): readonly Found[] {
  const possible = views.filter((view) => !inclusion.excludes(state, view));
  if (possible.length !== 1) return [noAlternative(state, reader, keyword)];
  return inclusion.prove(state, possible[0]!);
}

function noAlternative(state: State, reader: View, keyword: "anyOf" | "oneOf"): Found {
  return {
    kind: "SUM_TYPE_NARROWED",
    reader: reader.at(keyword),
    writer: writerPointer(state),
    message: "No alternative of the reader accepts everything that the writer may write here.",
    fix: "Add what the writer writes as an alternative of the reader.",
    traces: [{ at: "end", state, reader, hints: [] }],
  };
}

export function checkNegation(inclusion: Inclusion, state: State, reader: View): readonly Found[] {
  if (!reader.not || inclusion.excludes(state, reader.not())) return NONE;
  return [
    {
      kind: "NOT_TYPE_EXTENDED",
      reader: reader.at("not"),
      writer: writerPointer(state),
      message: "The reader forbids values that the writer may write.",
      traces: [{ at: "end", state: state.with({ known: [reader.not()] }), reader, hints: [] }],
    },
  ];
}

/** Under the condition and without it, each for itself. */
export function checkConditional(inclusion: Inclusion, state: State, reader: View): readonly Found[] {
  if (!reader.condition) return NONE;
  const condition = reader.condition();
  const branch = (schema: LazyView | undefined, known: State) =>
    schema === undefined || inclusion.isEmpty(known) ? NONE : inclusion.prove(known, schema());
  const found = [...branch(reader.consequence, state.with({ known: [condition] }))];
  if (found.length > 0 && inclusion.isQuiet) return found;
  return [...found, ...branch(reader.alternative, state.with({ nots: [condition] }))];
}
