/** The states of one comparison, each created once, and the names that the writer's schemas declare. */
import type { ComparisonMeter } from "../bounds.ts";
import type { PatternMatches } from "../pattern-matches.ts";
import { Declared, declaredBy, reachableFrom } from "./declared.ts";
import type { Discriminators } from "./discriminators.ts";
import type { Evaluator } from "./evaluate.ts";
import type { Seeds } from "./flatten.ts";
import { State } from "./state.ts";
import type { View } from "./view.ts";
import type { Views } from "./views.ts";

/** Bytes of an empty state, and of each schema and name it holds. */
const STATE_BYTES = 1_000;
const HELD_BYTES = 120;

export class States {
  readonly #known = new Map<string, State>();
  readonly #declared = new Map<string, Declared | null>();
  readonly #declaringParts = new Map<Declared, Map<string, readonly View[] | null>>();
  #nextId = 0;

  readonly views: Views;
  readonly patterns: PatternMatches;
  readonly evaluator: Evaluator;
  readonly discriminators: Discriminators;
  readonly meter: ComparisonMeter;

  constructor(
    views: Views,
    patterns: PatternMatches,
    evaluator: Evaluator,
    discriminators: Discriminators,
    meter: ComparisonMeter,
  ) {
    this.views = views;
    this.patterns = patterns;
    this.evaluator = evaluator;
    this.discriminators = discriminators;
    this.meter = meter;
  }

  of(seeds: Seeds): State {
    const key = `${[seeds.written, seeds.known, seeds.nots, seeds.declaring ?? ANY].map(idsOf).join("|")}${seeds.isBareEmpty ? "|" : ""}`;
    const known = this.#known.get(key);
    if (known) return known;
    const state = new State(this, this.#nextId++, seeds);
    const place = seeds.written[0]?.pointer ?? "";
    const held = state.seen.size + state.atoms.length + state.nots.size + state.required.size;
    this.meter.keep(STATE_BYTES + key.length + held * HELD_BYTES, place);
    this.#known.set(key, state);
    return state;
  }

  /** A state that is used once and not cached. */
  transient(seeds: Seeds): State {
    return new State(this, this.#nextId++, seeds);
  }

  /** The names that some schemas declare together, computed once. */
  declared(seeds: readonly View[]): Declared | null {
    const key = idsOf(seeds);
    const known = this.#declared.get(key);
    if (known !== undefined) return known;
    const declared = seeds === EVERYWHERE ? new Declared(reachableFrom(this.views.root("writer"))) : declaredBy(seeds);
    const size = (declared?.views.length ?? 1) + (declared?.names.size ?? 0);
    this.meter.spend(size / 4, seeds[0]?.pointer ?? "");
    this.meter.keep(size * HELD_BYTES, seeds[0]?.pointer ?? "");
    this.#declared.set(key, declared);
    return declared;
  }

  /**
   * The schemas that declare names in a part. If there are many, as below the alternatives of a large union, all
   * schemas of the writer are used instead: more names than are declared, but a single set of them, so that there are
   * few states.
   */
  declaringBelow(declared: Declared, part: string, schemasOf: (view: View) => View[]): readonly View[] | null {
    let parts = this.#declaringParts.get(declared);
    if (parts === undefined) {
      parts = new Map();
      this.#declaringParts.set(declared, parts);
    }
    let declaring = parts.get(part);
    if (declaring === undefined) {
      this.meter.spend(declared.views.length / 20, "");
      const seeds = [...new Set(declared.views.flatMap(schemasOf))];
      const isBelowAll = declared === this.#declared.get(idsOf(EVERYWHERE));
      const isNew = seeds.length > 1 && !this.#declared.has(idsOf(seeds));
      const isMany = seeds.length > MAX_DECLARING || isBelowAll || (isNew && this.#declared.size > MAX_DECLARING_SETS);
      declaring = isMany && this.declared(seeds) !== null ? EVERYWHERE : seeds;
      if (isMany && declaring !== EVERYWHERE) declaring = null;
      this.meter.keep(seeds.length * 8 + part.length + HELD_BYTES, "");
      parts.set(part, declaring);
    }
    return declaring;
  }
}

/** Schemas that declare names at one location and are tracked individually. */
const MAX_DECLARING = 8;
/** Sets of such schemas that are tracked; their number could be exponential. */
const MAX_DECLARING_SETS = 500;
/** Represents all schemas of the writer. */
const EVERYWHERE: readonly View[] = [{ id: -2 } as View];
const ANY: readonly View[] = [{ id: -1 } as View];

function idsOf(views: readonly View[]): string {
  if (views.length < 2) return views.length === 0 ? "" : String(views[0]!.id);
  return [...new Set(views.map(({ id }) => id))].sort((a, b) => a - b).join();
}
