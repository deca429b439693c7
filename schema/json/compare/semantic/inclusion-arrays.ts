/**
 * Arrays: whether every item that the writer may produce satisfies the reader's schema for its index, and whether the
 * number of items fits.
 */
import type { Sliced } from "../../../slices.ts";
import { collectTraces, type FoundDifference, FoundList, NONE, writerPointer } from "./found.ts";
import { evaluatesItems } from "./inclusion-evaluated.ts";
import type { Check, Proof } from "./proof.ts";
import type { State } from "./state.ts";
import { TYPE, unaliased, type View } from "./view.ts";

/** Items of tuples beyond this length are compared as one kind of item. */
const MAX_COMPARED_PREFIX = 1_000;

export function* checkArray(proof: Proof, state: State, reader: View): Sliced<readonly FoundDifference[]> {
  if ((state.types & TYPE.array) === 0) return NONE;
  const found = new FoundList();
  for (const check of checksOf(proof, reader)) {
    const ofArrays: Check = (each) => ((each.types & TYPE.array) === 0 ? NONE : check(each));
    if (found.add(yield* proof.split(state, reader, "array", ofArrays)) && proof.isQuiet) break;
  }
  return found.items;
}

function* checksOf(proof: Proof, reader: View): Generator<Check> {
  yield (each) => checkCounts(each, reader);
  if (reader.uniqueItems) yield (each) => checkUnique(each, reader);
  if (reader.items || reader.prefixItems.length > 0) yield (each) => checkItems(proof, each, reader);
  if (reader.contains) yield (each) => checkContains(proof, each, reader);
  if (reader.unevaluatedItems) yield (each) => checkUnevaluated(proof, each, reader);
}

function checkCounts(state: State, reader: View): readonly FoundDifference[] {
  const { shape } = state;
  const found: FoundDifference[] = [];
  if (reader.minItems > shape.minItems) {
    found.push({
      kind: shape.minItems > 0 ? "MIN_ITEMS_INCREASED" : "MIN_ITEMS_ADDED",
      reader: reader.at("minItems"),
      writer: writerPointer(state),
      message: `The reader requires at least ${reader.minItems} items; the writer may produce fewer.`,
      fix: `Lower the reader's minItems to ${shape.minItems}.`,
      traces: [{ at: "end", state: counted(state, "maxItems", reader.minItems - 1), reader, hints: [[]] }],
    });
  }
  const most = state.maxItems();
  if (reader.maxItems !== undefined && reader.maxItems < (most ?? Number.POSITIVE_INFINITY)) {
    found.push({
      kind: shape.maxItems === undefined ? "MAX_ITEMS_ADDED" : "MAX_ITEMS_DECREASED",
      reader: reader.at("maxItems"),
      writer: writerPointer(state),
      message: `The reader accepts at most ${reader.maxItems} items; the writer may produce more.`,
      fix: most === undefined ? "Remove maxItems from the reader." : `Raise the reader's maxItems to ${most}.`,
      traces: [{ at: "end", state: counted(state, "minItems", reader.maxItems + 1), reader, hints: [] }],
    });
  }
  return found;
}

/** The knowledge about values with a given number of items, for witnesses. */
function counted(state: State, keyword: "minItems" | "maxItems", count: number): State {
  return state.with({ known: [state.states.views.counting(keyword, count)] });
}

function checkUnique(state: State, reader: View): readonly FoundDifference[] {
  if (state.shape.uniqueItems || (state.maxItems() ?? 2) < 2) return NONE;
  return [
    {
      kind: "UNIQUE_ITEMS_ADDED",
      reader: reader.at("uniqueItems"),
      writer: writerPointer(state),
      message: "The reader refuses arrays with equal items; the writer may produce them.",
      fix: "Remove uniqueItems from the reader.",
      traces: [{ at: "end", state, reader, hints: [] }],
    },
  ];
}

function* checkItems(proof: Proof, state: State, reader: View): Sliced<readonly FoundDifference[]> {
  const found = new FoundList();
  const end = Math.min(Math.max(state.prefixLength, reader.prefixItems.length), MAX_COMPARED_PREFIX);
  const { maxItems } = state.shape;
  for (let index = 0; index <= end; index += 1) {
    if (maxItems !== undefined && index >= maxItems) break;
    const part = state.item(index);
    if (yield* proof.isEmpty(part)) break;
    const listed = reader.prefixItems[index];
    const schema = listed ?? reader.items;
    if (schema === undefined) continue;
    const pointer = listed ? reader.at("prefixItems", index) : reader.at("items");
    const inner = yield* proof.descend(state, { item: index }, part, schema());
    found.add(itemFound(state, part, pointer, index, inner));
  }
  if (reader.prefixItems.length > MAX_COMPARED_PREFIX) {
    found.add([proof.undecided(state, reader, `lists more than ${MAX_COMPARED_PREFIX} items`)]);
  }
  return found.items;
}

/** An item that the writer does not declare is one difference, not one per keyword of the reader. */
function itemFound(
  state: State,
  part: State,
  pointer: string,
  index: number,
  found: readonly FoundDifference[],
): readonly FoundDifference[] {
  const [first] = found;
  if (first === undefined) return found;
  if (first.kind === "SCHEMA_REFUSES_ALL") {
    return [
      {
        ...first,
        kind: "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL",
        reader: pointer,
        message: `The writer may produce an item at index ${index}, which the reader refuses.`,
      },
    ];
  }
  if (part.seeds.written.length + part.seeds.known.length > 0) return found;
  return [
    {
      kind: "ITEM_ADDED_TO_OPEN_CONTENT_MODEL",
      reader: pointer,
      writer: writerPointer(state),
      message: "The reader constrains these items; the writer may produce any value there.",
      traces: collectTraces(found),
    },
  ];
}

function* checkContains(proof: Proof, state: State, reader: View): Sliced<readonly FoundDifference[]> {
  const contained = reader.contains!();
  const found: FoundDifference[] = [];
  if ((yield* leastContained(proof, state, contained)) < reader.minContains) {
    const known = state.atoms.some(({ view }) => view.contains);
    found.push({
      kind: known ? "CONTAINS_CHANGED" : "CONTAINS_ADDED",
      reader: reader.at("contains"),
      writer: writerPointer(state),
      message: `The reader requires at least ${reader.minContains} items that match contains; the writer may produce fewer.`,
      traces: [{ at: "end", state, reader, hints: [[]] }],
    });
  }
  const { maxContains } = reader;
  if (maxContains !== undefined && (yield* mostContained(proof, state, contained)) > maxContains) {
    found.push({
      kind: "MAX_CONTAINS_DECREASED",
      reader: reader.at("maxContains"),
      writer: writerPointer(state),
      message: `The reader accepts at most ${maxContains} items that match contains; the writer may produce more.`,
      traces: [{ at: "end", state, reader, hints: [] }],
    });
  }
  return found;
}

/** A lower bound for the number of items that satisfy a schema. */
function* leastContained(proof: Proof, state: State, contained: View): Sliced<number> {
  let least = 0;
  for (const { view } of state.atoms) {
    if (!view.contains) continue;
    const item = proof.states.of({ written: [view.contains()], known: [], nots: [], declaring: null });
    if (yield* proof.holds(item, contained)) least = Math.max(least, view.minContains);
  }
  let count = 0;
  const { minItems } = state.shape;
  const end = state.prefixLength;
  for (let index = 0; index < Math.min(minItems, end); index += 1) {
    if (yield* proof.holds(state.item(index), contained)) count += 1;
  }
  if (minItems > end && (yield* proof.holds(state.item(end), contained))) count += minItems - end;
  return Math.max(least, count);
}

/** An upper bound for the number of items that satisfy a schema. */
function* mostContained(proof: Proof, state: State, contained: View): Sliced<number> {
  let most = state.maxItems() ?? Number.POSITIVE_INFINITY;
  for (const { view } of state.atoms) {
    if (!view.contains || view.maxContains === undefined) continue;
    const item = proof.states.of({ written: [contained], known: [], nots: [], declaring: null });
    if (yield* proof.holds(item, view.contains())) most = Math.min(most, view.maxContains);
  }
  const end = state.prefixLength;
  if (yield* proof.excludes(state.item(end), contained)) {
    let possible = 0;
    for (let index = 0; index < end; index += 1) {
      if (!(yield* proof.excludes(state.item(index), contained))) possible += 1;
    }
    most = Math.min(most, possible);
  }
  return most;
}

function* checkUnevaluated(proof: Proof, state: State, reader: View): Sliced<readonly FoundDifference[]> {
  const schema = unaliased(reader.unevaluatedItems!());
  if (schema.isTrivial && schema.constant !== false) return NONE;
  const found = new FoundList();
  const end = Math.min(Math.max(state.prefixLength, longestPrefix(reader)), MAX_COMPARED_PREFIX);
  for (let index = 0; index <= end; index += 1) {
    if (state.shape.maxItems !== undefined && index >= state.shape.maxItems) break;
    const part = state.item(index);
    if (yield* proof.isEmpty(part)) break;
    const covers = (view: View) => view.items !== undefined || index < view.prefixItems.length;
    if (yield* evaluatesItems({ proof, state, root: reader, covers }, reader)) continue;
    const inner = yield* proof.descend(state, { item: index }, part, schema);
    if (schema.constant !== false) found.add(inner);
    else if (inner[0]) {
      found.add([
        {
          ...inner[0],
          kind: "UNEVALUATED_ITEMS_REMOVED",
          reader: reader.at("unevaluatedItems"),
          message: `The writer may produce an item at index ${index}, which the reader refuses.`,
        },
      ]);
    }
  }
  return found.items;
}

/** The longest tuple among the schemas that may evaluate items for a reader. */
function longestPrefix(root: View): number {
  const visited = new Set<View>();
  const stack = [root];
  let longest = 0;
  for (let view = stack.pop(); view !== undefined; view = stack.pop()) {
    if (visited.has(view)) continue;
    visited.add(view);
    longest = Math.max(longest, view.prefixItems.length);
    for (const child of [...view.references, ...view.allOf, ...view.anyOf, ...view.oneOf])
      stack.push(unaliased(child()));
    for (const child of [view.condition, view.consequence, view.alternative]) if (child) stack.push(unaliased(child()));
  }
  return longest;
}
