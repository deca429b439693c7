/**
 * Finds data that prove differences. A candidate is built along the path from the root to the difference, encoded with the
 * writer's schema, decoded and resolved to the reader's; only a candidate that fails at that place becomes a witness.
 */
import { encodeBase64 } from "../../base64.ts";
import type { Difference } from "../../compatibility.ts";
import { runAtOnce, type Sliced } from "../../slices.ts";
import { MAX_WITNESS_BYTES, type Witness, type WitnessOptions } from "../../witness.ts";
import { decodeDatum, encodeDatum } from "../codec/binary.ts";
import { type AvroDatum, DatumError, datumToJson, MAX_DATUM_DEPTH } from "../codec/datum.ts";
import { type PlaceFilter, resolveDatum } from "../codec/resolve.ts";
import { locateDifferences } from "../compare/compare.ts";
import { CONFLUENT_RULES } from "../compare/confluent/rules.ts";
import type { LocatedDifference, Trail } from "../compare/locate-differences.ts";
import type { PolicyRules } from "../compare/policy-rules.ts";
import { SEMANTIC_RULES } from "../compare/semantic/rules.ts";
import { BranchFinder } from "../compare/union-branches.ts";
import { type AvroModel, type AvroType, findLogicalType } from "../model.ts";
import { bytesOfInteger, Sampler, SeededRandom } from "./sample.ts";

/** Values built and bytes encoded for all differences of one call: about 200 ms. */
const MAX_WORK = 400_000;
/** The time per unit of work on the slowest core in use. */
const UNIT_MICROS = 0.5;
/** Work after which the search pauses. */
const SLICE_WORK = 80_000;
/** The minimum cost of one attempt, in values. */
const WORK_PER_ATTEMPT = 10;
const NO_WORK_LEFT = "The work limit was reached at this difference or an earlier one.";

const CONFIRMED_BY = "avro interpreter";

export function findWitnesses(
  reader: AvroModel,
  writer: AvroModel,
  differences: readonly Difference[],
  options: WitnessOptions,
): Witness[] {
  return runAtOnce(witnessesInSlices(reader, writer, differences, options));
}

/** The same, pausing now and then so that others get a turn. */
export function* witnessesInSlices(
  reader: AvroModel,
  writer: AvroModel,
  differences: readonly Difference[],
  options: WitnessOptions,
): Sliced<Witness[]> {
  const search = new WitnessSearch(reader, writer, options);
  const witnesses: Witness[] = [];
  for (const difference of differences) {
    witnesses.push(yield* search.find(difference));
    yield search.takeMicros();
  }
  return witnesses;
}

class WitnessSearch {
  readonly #reader: AvroModel;
  readonly #writer: AvroModel;
  readonly #options: WitnessOptions;
  #sampler: Sampler | undefined;
  readonly #branches = new BranchFinder();
  readonly #located = new Map<string, LocatedDifference[]>();
  readonly #locatedUnder = new Set<PolicyRules>();
  #workLeft = MAX_WORK;
  /** The remaining work at the last pause. */
  #taken = MAX_WORK;

  constructor(reader: AvroModel, writer: AvroModel, options: WitnessOptions) {
    this.#reader = reader;
    this.#writer = writer;
    this.#options = options;
  }

  /** The work since the last call. */
  takeMicros(): number {
    const units = this.#taken - this.#workLeft;
    this.#taken = this.#workLeft;
    return units * UNIT_MICROS;
  }

  *find(difference: Difference): Sliced<Witness> {
    if (difference.severity !== "breaking") return notFound("Only breaking differences have a witness.");
    if (this.#workLeft <= 0) return notFound(NO_WORK_LEFT);
    const places = yield* this.#places(difference);
    if (places.length === 0) return notFound("This reader and this writer do not have this difference.");
    const random = new SeededRandom(this.#options.seed);
    let reason = "The reader accepted every datum that was tried and kept its meaning.";
    const attemptsEach = Math.ceil(this.#options.maxAttempts / places.length);
    for (const place of places) {
      let attempts = 0;
      try {
        for (const datum of this.#candidates(place, random)) {
          if (this.#workLeft <= 0) return notFound(NO_WORK_LEFT);
          if (attempts >= attemptsEach) break;
          attempts += 1;
          if (this.#taken - this.#workLeft > SLICE_WORK) yield this.takeMicros();
          this.#workLeft -= WORK_PER_ATTEMPT;
          const witness = this.#confirm(datum, place);
          if (witness === "too_large") {
            // Outside the place the datum is already minimal, so other candidates are hardly smaller.
            reason = `The smallest datum is larger than ${MAX_WITNESS_BYTES} bytes.`;
            break;
          }
          if (witness !== null) return witness;
        }
      } catch (error) {
        if (!(error instanceof DatumError)) throw error;
        reason = error.message;
      }
    }
    return notFound(reason);
  }

  /** Created on first use, because it walks the writer's whole schema. */
  #samples(): Sampler {
    this.#sampler ??= new Sampler(this.#writer.root);
    return this.#sampler;
  }

  /** Locates the breaking differences by key: under `semantic`, which has nearly all, then under `strict` if needed. */
  *#locate(difference: Difference): Sliced<ReadonlyMap<string, LocatedDifference[]>> {
    for (const rules of [SEMANTIC_RULES, CONFLUENT_RULES]) {
      if (this.#located.has(keyOf(difference)) || this.#locatedUnder.has(rules)) continue;
      this.#locatedUnder.add(rules);
      const result = yield* locateDifferences(this.#reader, this.#writer, rules);
      for (const located of result.ok ? result.value.located : []) {
        if (located.difference.severity !== "breaking") continue;
        const key = keyOf(located.difference);
        this.#located.set(key, [...(this.#located.get(key) ?? []), located]);
      }
    }
    return this.#located;
  }

  /** Where the difference lies. For a missing union branch, also where the branch of the same name fails inside. */
  *#places(difference: Difference): Sliced<LocatedDifference[]> {
    const located = yield* this.#locate(difference);
    const places = located.get(keyOf(difference)) ?? [];
    if (difference.kind !== "MISSING_UNION_BRANCH" || places.length === 0) return places;
    const [{ readerPointer, writerPointer }] = places as [LocatedDifference];
    const inside = [...located.values()]
      .flat()
      .filter(
        (other) =>
          !places.includes(other) &&
          isInside(other.readerPointer, readerPointer) &&
          isInside(other.writerPointer, difference.writer_pointer ?? writerPointer),
      );
    return [...inside, ...places];
  }

  *#candidates(place: LocatedDifference, random: SeededRandom): Generator<AvroDatum> {
    for (const leaf of this.#leaves(place, random)) yield this.#plant(leaf, place.trail);
  }

  /** Candidate values of the writer's type at the place, the most promising first. */
  *#leaves(place: LocatedDifference, random: SeededRandom): Generator<AvroDatum> {
    const { reader, writer } = place.pair;
    const { difference } = place;
    yield* demonstratingValues(reader, writer, difference.kind);
    if (writer.kind === "union") {
      // The last step of the writer's pointer is the missing branch.
      const branch = Number(difference.writer_pointer?.slice(place.writerPointer.length + 1));
      const type = writer.branches[branch];
      if (type !== undefined) {
        yield { branch, value: this.#samples().smallest(type) };
        for (;;) yield { branch, value: this.#samples().random(type, random) };
      }
    }
    yield this.#samples().smallest(writer);
    for (;;) yield this.#samples().random(writer, random);
  }

  /** A datum of the root type that holds `leaf` at the end of the trail and is minimal elsewhere. */
  #plant(leaf: AvroDatum, trail: Trail): AvroDatum {
    let datum = leaf;
    let depth = 0;
    for (let step = trail; step !== null; step = step.before) {
      depth += 1;
      if (depth > MAX_DATUM_DEPTH) throw new DatumError(`The difference lies deeper than ${MAX_DATUM_DEPTH} levels.`);
      datum = this.#wrap(datum, step.pair.writer, step.writerStep);
    }
    return datum;
  }

  #wrap(datum: AvroDatum, type: AvroType, step: string): AvroDatum {
    if (type.kind === "record") this.#workLeft -= type.fields.length;
    const [, index] = /^(?:\/fields)?\/(\d+)/.exec(step) ?? [];
    switch (type.kind) {
      case "record":
        return index === undefined
          ? datum
          : new Map(
              type.fields.map((field, at) => [
                field.name,
                at === Number(index) ? datum : this.#samples().smallest(field.type),
              ]),
            );
      case "array":
        return step === "" ? datum : [datum];
      case "map":
        return step === "" ? datum : new Map([["key", datum]]);
      case "union":
        return { branch: Number(index), value: datum };
      default:
        return datum;
    }
  }

  #confirm(datum: AvroDatum, place: LocatedDifference): Witness | "too_large" | null {
    const bytes = encodeDatum(this.#writer.root, datum);
    this.#workLeft -= bytes.length;
    if (bytes.length > MAX_WITNESS_BYTES) return "too_large";
    const decoded = decodeDatum(this.#writer.root, bytes);
    const { failures, values } = resolveDatum(this.#reader.root, this.#writer.root, decoded, {
      isAskedFor: filterFor(place),
      branches: this.#branches,
    });
    this.#workLeft -= values;
    // A failure exactly at the place is better proof than one deeper inside.
    const failure = failures.find(({ readerPointer }) => readerPointer === readerPlace(place)) ?? failures[0];
    if (failure === undefined) return null;
    const json = datumToJson(this.#writer.root, decoded);
    if (JSON.stringify(json).length > MAX_WITNESS_BYTES) return "too_large";
    const lost = failure.kind === "refused" ? "refused" : "meaning lost";
    return {
      status: "confirmed",
      datum: json,
      binary: encodeBase64(bytes),
      reader_result: `${lost} at ${failure.readerPointer || "the root"}: ${failure.message}`,
      confirmed_by: CONFIRMED_BY,
    };
  }
}

/** Larger decimals would exceed the size of a witness. */
const MAX_DECIMAL_DIGITS = 1_000;

/** Values that demonstrate a loss, by its kind. Resolution failures need none: any datum of the writer's type shows them. */
function* demonstratingValues(reader: AvroType, writer: AvroType, kind: string): Generator<AvroDatum> {
  if (writer.kind === "enum" && reader.kind === "enum") {
    const unknown = writer.symbols.find((symbol) => !reader.ordinals.has(symbol));
    if (unknown !== undefined) yield unknown;
  } else if (kind === "PRECISION_LOST") {
    if (writer.kind === "int") yield 2 ** 24 + 1;
    else yield reader.kind === "float" ? 2n ** 24n + 1n : 2n ** 53n + 1n;
  } else if (kind === "BYTES_READ_AS_TEXT") {
    yield Uint8Array.of(0xff);
  } else if (kind === "DECIMAL_PRECISION_REDUCED" || kind === "DECIMAL_SCALE_CHANGED") {
    const size = writer.kind === "fixed" ? writer.size : undefined;
    yield bytesOfInteger(1n, size);
    yield* tooManyDigits(reader, size);
  } else if (kind === "LOGICAL_TYPE_ADDED") {
    yield* valuesWithoutMeaning(reader, writer);
  } else if (writer.kind === "int") yield 1;
  else if (writer.kind === "long") yield 1n;
  else if (writer.kind === "string") yield "a";
}

/** The smallest number with one digit more than the reader's decimal allows. */
function* tooManyDigits(reader: AvroType, size: number | undefined): Generator<AvroDatum> {
  const logicalType = findLogicalType(reader);
  if (logicalType?.name !== "decimal" || logicalType.precision > MAX_DECIMAL_DIGITS) return;
  yield bytesOfInteger(10n ** BigInt(logicalType.precision), size);
}

/** Values of the writer's type that are invalid under the reader's logical type. */
function* valuesWithoutMeaning(reader: AvroType, writer: AvroType): Generator<AvroDatum> {
  switch (writer.kind) {
    case "int":
      yield 86_400_000;
      yield -1;
      return;
    case "long":
      yield 86_400_000_000n;
      return;
    case "bytes":
      yield* tooManyDigits(reader, undefined);
      yield new Uint8Array();
      return;
    case "fixed":
      yield* tooManyDigits(reader, writer.size);
      return;
    case "string":
      yield "a";
      yield "";
  }
}

/** Differences about a field belong to the record's pair of types, but have the field's pointer. */
const FIELD_KINDS = new Set(["READER_FIELD_MISSING_DEFAULT_VALUE", "AMBIGUOUS_FIELD"]);

function readerPlace({ difference, readerPointer }: LocatedDifference): string {
  return FIELD_KINDS.has(difference.kind) ? (difference.reader_pointer ?? readerPointer) : readerPointer;
}

function filterFor(place: LocatedDifference): PlaceFilter {
  const reader = readerPlace(place);
  // Resolution fails at a missing field itself, where the strict rules may report the field's type.
  const field = reader.replace(/\/type$/, "");
  return (readerPointer, writerPointer) =>
    (isInside(readerPointer, reader) || readerPointer === field) && isInside(writerPointer, place.writerPointer);
}

function isInside(pointer: string, outer: string): boolean {
  return pointer === outer || pointer.startsWith(`${outer}/`);
}

function keyOf({ kind, reader_pointer, writer_pointer }: Difference): string {
  return `${kind} ${reader_pointer} ${writer_pointer}`;
}

function notFound(reason: string): Witness {
  return { status: "not_found", reason };
}
