/**
 * The results of a proof: the differences that it could not prove harmless, each with a path through a value that
 * exhibits it.
 */
import { MAX_LISTED_DIFFERENCES } from "../bounds.ts";
import type { State } from "./state.ts";
import type { View } from "./view.ts";

/** The path from a value to one of its parts. */
export type Step =
  | { readonly property: string }
  | { readonly pattern: string }
  | { readonly other: true }
  | { readonly item: number }
  | { readonly name: true };

/** The location of a difference in a value, and what is known about the values on the path: the basis of a witness. */
export type Trace =
  | { readonly at: "step"; readonly state: State; readonly step: Step; readonly next: Trace }
  | { readonly at: "end"; readonly state: State; readonly reader: View; readonly hints: readonly unknown[] };

export type FoundDifference = {
  readonly kind: string;
  readonly reader: string | null;
  readonly writer: string | null;
  readonly message: string;
  readonly fix?: string;
  /** The property concerned, if the difference is reported at the object that has or lacks it. */
  readonly property?: string;
  readonly traces: readonly Trace[];
};

export const NONE: readonly FoundDifference[] = [];

/** Paths kept per difference. */
const MAX_TRACES = 6;

/** Differences, each once; beyond the listed ones only kind and location are kept. */
export class FoundList {
  readonly items: FoundDifference[] = [];
  #places: Map<string, number> | undefined;

  /** Adds new differences; returns whether anything was found at all. */
  add(more: readonly FoundDifference[]): boolean {
    for (const each of more) this.#addOne(each);
    return more.length > 0;
  }

  #addOne(each: FoundDifference): void {
    const { items } = this;
    const index = this.#indexOf(each);
    const known = index === undefined ? undefined : items[index];
    if (known === undefined) {
      this.#places?.set(placeOf(each), items.length);
      items.push(items.length < MAX_LISTED_DIFFERENCES ? each : withoutTraces(each));
    } else if (known.traces.length < MAX_TRACES && known !== each && index! < MAX_LISTED_DIFFERENCES) {
      // The same difference in another case of the writer: perhaps only one of the cases is possible.
      const others = each.traces.filter((trace) => !known.traces.includes(trace));
      items[index!] = { ...known, traces: [...known.traces, ...others].slice(0, MAX_TRACES) };
    }
  }

  #indexOf({ kind, reader, writer }: FoundDifference): number | undefined {
    if (this.items.length < MIN_INDEXED) {
      const index = this.items.findIndex(
        (other) => other.kind === kind && other.reader === reader && other.writer === writer,
      );
      return index === -1 ? undefined : index;
    }
    this.#places ??= new Map(this.items.map((each, index) => [placeOf(each), index]));
    return this.#places.get(placeOf({ kind, reader, writer }));
  }
}

/** Lists longer than this are searched by an index. */
const MIN_INDEXED = 12;

function placeOf({ kind, reader, writer }: Pick<FoundDifference, "kind" | "reader" | "writer">): string {
  return `${kind} ${reader} ${writer}`;
}

function withoutTraces({ kind, reader, writer }: FoundDifference): FoundDifference {
  return { kind, reader, writer, message: "", traces: [] };
}

/** The paths to several differences that are reported as one. */
export function collectTraces(found: readonly FoundDifference[]): readonly Trace[] {
  return found.flatMap(({ traces }) => traces).slice(0, MAX_TRACES);
}

/** A difference in a part, as seen from the whole. */
export function withSteps(found: FoundDifference, steps: readonly { state: State; step: Step }[]): FoundDifference {
  if (found.traces.length === 0) return found;
  const traces = found.traces.map((trace) =>
    steps.reduceRight<Trace>((next, { state, step }) => ({ at: "step", state, step, next }), trace),
  );
  return { ...found, traces };
}

/** The writer's location here; null if it has none. */
export function writerPointer(state: State): string | null {
  const [first] = state.seeds.written;
  return first?.location ? first.pointer : null;
}
