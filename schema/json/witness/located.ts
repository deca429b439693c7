/** Maps a listed difference to the proven breaks it is about. */
import type { Difference } from "../../compatibility.ts";
import { unescapePointerToken } from "../../json-text.ts";
import type { Sliced } from "../../slices.ts";
import { isConfluentKind } from "../compare/confluent/kinds.ts";
import type { Breaks } from "../compare/semantic/compare.ts";
import { type FoundDifference, type Step, withSteps } from "../compare/semantic/found.ts";
import type { State } from "../compare/semantic/state.ts";
import { unaliased, type View } from "../compare/semantic/view.ts";

/** The break itself under the semantic policy; under the Confluent rules, the breaks at the same part of the value. */
export function* foundFor(
  difference: Difference,
  { inclusion, state: root, found }: Breaks,
): Sliced<readonly FoundDifference[]> {
  const exact = found.filter(
    ({ kind, reader, writer }) =>
      kind === difference.kind && reader === difference.reader_pointer && writer === difference.writer_pointer,
  );
  if (exact.length > 0 || !isConfluentKind(difference.kind)) return exact;
  const path = difference.reader_pointer ?? difference.writer_pointer ?? "";
  const place = new Walk(root, inclusion.views.root("reader")).follow(path);
  const { property } = place;
  const all = yield* inclusion.proveAll(place.state, place.reader);
  const here = all.filter((each) => property === undefined || concerns(each, property));
  return sortedByKind(here, difference.kind).map((each) => withSteps(each, place.steps));
}

function concerns({ property, traces }: FoundDifference, name: string): boolean {
  return (
    property === name ||
    traces.some((trace) => trace.at === "step" && "property" in trace.step && trace.step.property === name)
  );
}

function sortedByKind(found: readonly FoundDifference[], kind: string): FoundDifference[] {
  return [...found].sort((a, b) => Number(b.kind === kind) - Number(a.kind === kind));
}

/**
 * Follows a path of the Confluent rules (which omits references and parts of one schema) through both schemas in
 * parallel.
 */
class Walk {
  readonly steps: { state: State; step: Step }[] = [];
  /** The property concerned, if the path ends at one that only one side has, or at a `required`. */
  property: string | undefined;
  #at = 0;

  state: State;
  reader: View;

  constructor(state: State, reader: View) {
    this.state = state;
    this.reader = reader;
  }

  follow(path: string): this {
    const tokens = path.split("/").slice(1).map(unescapePointerToken);
    this.reader = unaliased(this.reader);
    while (this.#at < tokens.length && this.#step(tokens)) this.reader = unaliased(this.reader);
    return this;
  }

  /** Consumes the next tokens; false if the path ends. */
  #step(tokens: readonly string[]): boolean {
    const [keyword, key] = [tokens[this.#at]!, tokens[this.#at + 1]];
    switch (keyword) {
      case "properties":
      case "required":
      case "dependencies":
        if (key === undefined) return false;
        return this.#property(keyword, key);
      case "items":
      case "additionalItems":
        return this.#item(key);
      case "allOf":
      case "anyOf":
      case "oneOf":
        // The path does not say which member of the reader it means, so the whole combination is examined.
        this.#at += /^\d+$/.test(key ?? "") ? 2 : 1;
        return this.reader[keyword].length < 2 && this.#only(this.reader[keyword][0]);
      default:
        return false;
    }
  }

  #property(keyword: string, name: string): boolean {
    const own = this.reader.properties.get(name);
    if (keyword !== "properties" || own === undefined || !this.state.mayHave(name)) {
      this.property = name;
      return false;
    }
    this.#into({ property: name }, this.state.property(name), own());
    this.#at += 2;
    return true;
  }

  #item(key: string | undefined): boolean {
    const isIndexed = /^\d+$/.test(key ?? "");
    const index = isIndexed ? Number(key) : Math.max(this.state.prefixLength, this.reader.prefixItems.length);
    const own = this.reader.prefixItems[index] ?? this.reader.items;
    if (own === undefined) return false;
    this.#into({ item: index }, this.state.item(index), own());
    this.#at += isIndexed ? 2 : 1;
    return true;
  }

  #only(member: (() => View) | undefined): boolean {
    if (member === undefined) return false;
    this.reader = member();
    return true;
  }

  #into(step: Step, part: State, reader: View): void {
    this.steps.push({ state: this.state, step });
    this.state = part;
    this.reader = reader;
  }
}
