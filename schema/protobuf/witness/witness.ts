/**
 * Messages that prove differences: written under the writer's schema, read under the reader's, and refused or misread
 * there. The interpreter in codec/codec.ts behaves like a conforming reader, so only facts are shown; a message that
 * proves nothing is discarded.
 */
import { encodeBase64 } from "../../base64.ts";
import type { Difference } from "../../compatibility.ts";
import { MAX_DIFFERENCES } from "../../difference-list.ts";
import { Random } from "../../random.ts";
import { runAtOnce, type Sliced } from "../../slices.ts";
import { MAX_WITNESS_BYTES, type Witness, type WitnessOptions } from "../../witness.ts";
import {
  decodeMessageValue,
  encodeMessageValue,
  findMessage,
  isMessageValue,
  type MessageValue,
} from "../codec/codec.ts";
import { toJson } from "../codec/json.ts";
import { jsonRefusal } from "../codec/json-reader.ts";
import { type LinkedField, type LinkedMessage, LinkedModel } from "../compare/linked.ts";
import type { Definition, Message, ProtobufModel } from "../model.ts";
import { CandidateMaker, type WitnessCandidate } from "./candidates.ts";
import { type WitnessPlace, wayTo } from "./places.ts";
import { type ReadingLoss, readingLosses } from "./reading.ts";
import { Sampler } from "./values.ts";

/** The confirmation of the witnesses in this file. */
export const CONFIRMED_BY = "wire format interpreter";
/** Fields examined per call, over all messages tried: a third of a second, and ten times what a real pair takes. */
export const MAX_WITNESS_WORK = 300_000;
/** The time per field on the slowest core in use. */
const FIELD_MICROS = 1.1;
/** Fields examined before the search pauses. */
const SLICE_WORK = 40_000;

/**
 * For each difference, in order: a confirmed message that the reader refuses or misreads, or the reason why none was
 * found.
 */
export function protobufWitnesses(
  reader: ProtobufModel,
  writer: ProtobufModel,
  differences: readonly Difference[],
  options: WitnessOptions,
): Witness[] {
  return runAtOnce(witnessesInSlices(reader, writer, differences, options));
}

/** The same, pausing now and then so that others get a turn. */
export function* witnessesInSlices(
  reader: ProtobufModel,
  writer: ProtobufModel,
  differences: readonly Difference[],
  options: WitnessOptions,
): Sliced<Witness[]> {
  const searched = differences.slice(0, MAX_DIFFERENCES);
  const search = new WitnessSearch(new LinkedModel(reader), new LinkedModel(writer), searched, options);
  const witnesses: Witness[] = [];
  for (const difference of searched) {
    witnesses.push(yield* search.find(difference));
    yield search.takeMicros();
  }
  const unsearched = notFound(`Only the first ${MAX_DIFFERENCES} differences are searched.`);
  return [...witnesses, ...differences.slice(MAX_DIFFERENCES).map(() => unsearched)];
}

/** Kinds that are proven by something other than a different value. */
const ACCEPTED: Record<string, readonly ReadingLoss["kind"][]> = {
  REPEATED_READ_AS_MAP: ["key"],
  WELL_KNOWN_TYPE_CHANGED: ["value", "name"],
  PRESENCE_LOST: ["presence"],
  PRESENCE_GAINED: ["presence"],
  ONEOF_CASE_LOST: ["presence"],
  ONEOF_MEMBER_REMOVED: ["presence"],
  ONEOF_FIELD_REMOVED: ["presence"],
  ONEOF_NO_DELETE: ["presence"],
  FIELD_SAME_CARDINALITY: ["value", "presence"],
  FIELD_SAME_ONEOF: ["value", "presence"],
  FIELD_RENUMBERED: ["number"],
  FIELD_SAME_NAME: ["number"],
  ENUM_VALUE_RENAMED: ["name"],
  ENUM_VALUE_RENUMBERED: ["name"],
  ENUM_VALUE_SAME_NAME: ["name"],
  ENUM_VALUE_UNKNOWN_TO_OPEN_ENUM: ["name"],
  ENUM_VALUE_NO_DELETE: ["value", "name"],
  ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED: ["value", "name"],
  ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED: ["value", "name"],
};

/** Kinds that may appear only in JSON. */
const JSON_KINDS: ReadonlySet<string> = new Set([
  "FIELD_RENAMED",
  "FIELD_JSON_NAME_CHANGED",
  "JSON_MAPPING_CHANGED",
  "BOOL_READ_AS_INTEGER",
  "BOOL_READ_AS_ENUM",
  "ENUM_READ_AS_INTEGER",
  "ENUM_READ_AS_BOOL",
  "STRING_READ_AS_BYTES",
  "MESSAGE_READ_AS_BYTES",
  "SINGULAR_READ_AS_REPEATED",
  "MAP_READ_AS_REPEATED",
  "ENUM_VALUE_RENAMED",
  "ENUM_VALUE_UNKNOWN_TO_OPEN_ENUM",
  "FIELD_SAME_JSON_NAME",
  "FIELD_WIRE_JSON_COMPATIBLE_TYPE",
  "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY",
  "ENUM_VALUE_SAME_NAME",
]);

type Attempt = { witness: Witness | null; elsewhere: string | null };

class WitnessSearch {
  readonly #sampler: Sampler;
  readonly #maker: CandidateMaker;
  #work = MAX_WITNESS_WORK;
  /** The remaining work at the last pause. */
  #taken = MAX_WITNESS_WORK;
  #declared: ReadonlyMap<string, Definition<Message>> | null = null;

  readonly reader: LinkedModel;
  readonly writer: LinkedModel;
  readonly options: WitnessOptions;

  constructor(reader: LinkedModel, writer: LinkedModel, differences: readonly Difference[], options: WitnessOptions) {
    this.reader = reader;
    this.writer = writer;
    this.options = options;
    this.#sampler = new Sampler(writer, new Random(options.seed), options.writers);
    this.#maker = new CandidateMaker(reader, writer, this.#sampler, differences);
  }

  /** The work since the last call. */
  takeMicros(): number {
    const fields = this.#taken - this.#work;
    this.#taken = this.#work;
    return fields * FIELD_MICROS;
  }

  *find(difference: Difference): Sliced<Witness> {
    if (difference.severity === "info") return notFound("Nothing is lost.");
    const removed = this.#removedMessage(difference);
    if (removed !== null) return removed;
    let attempts = 0;
    let elsewhere: string | null = null;
    for (const candidate of this.#maker.candidates(difference)) {
      this.#work -= costOf(this.writer, candidate);
      if (this.#work < 0) return notFound("The search for witnesses reached its work limit.");
      if (attempts >= this.options.maxAttempts) break;
      attempts += 1;
      if (this.#taken - this.#work > SLICE_WORK) yield this.takeMicros();
      const attempt = this.#try(candidate, difference);
      if (attempt.witness !== null) return attempt.witness;
      elsewhere ??= attempt.elsewhere;
    }
    if (attempts === 0 && difference.kind.startsWith("ENUM_")) {
      return notFound("No message of the schema holds the enum; messages of files that import it may.");
    }
    if (attempts === 0) return notFound("It is not in what the messages of the schema hold.");
    if (elsewhere !== null) return notFound(`Messages are refused for another reason first: ${elsewhere}.`);
    if (difference.reader_pointer === null)
      return notFound("The reader skips it as unknown, and reads the rest the same.");
    return notFound(`None of the ${attempts} messages tried is refused or read as something else.`);
  }

  /** A message that the reader lacks cannot be read at all. */
  #removedMessage({ reader_pointer, writer_pointer }: Difference): Witness | null {
    if (reader_pointer !== null || writer_pointer === null) return null;
    this.#declared ??= new Map(this.writer.fileMessages().map((message) => [this.writer.pointer(message), message]));
    const definition = this.#declared.get(writer_pointer);
    if (definition === undefined || definition.element.synthetic !== null) return null;
    const message = this.writer.message(definition);
    const value = this.#sampler.message(message, 1);
    if (value === null) return notFound("The message requires itself, so none can be written.");
    const bytes = encodeMessageValue(this.writer, message, value);
    return this.#confirmed(
      message,
      value,
      bytes,
      `The reader has no message "${definition.fullName}" to read it with.`,
    );
  }

  #try(candidate: WitnessCandidate, difference: Difference): Attempt {
    const nothing: Attempt = { witness: null, elsewhere: null };
    const { root, fields } = wayTo(candidate.place);
    const sent = this.#wrap(root.writer, fields, candidate.value);
    if (sent === null) return nothing;
    const bytes = encodeMessageValue(this.writer, root.writer, sent);
    if (bytes.length > MAX_WITNESS_BYTES) return nothing;
    const read = decodeMessageValue(this.reader, root.reader, bytes);
    if (!read.ok) {
      const isHere = this.#isAt(read.refusal.pointer, candidate.readerFields, candidate.place.reader, this.reader);
      if (!isHere) return { witness: null, elsewhere: read.refusal.reason };
      return {
        witness: this.#confirmed(
          root.writer,
          sent,
          bytes,
          `${root.reader.fullName} is refused: ${read.refusal.reason}.`,
        ),
        elsewhere: null,
      };
    }
    if (JSON_KINDS.has(difference.kind)) {
      const inJson = this.#refusedJson(candidate, root, sent, bytes);
      if (inJson !== null) return { witness: inJson, elsewhere: null };
    }
    const accepted = ACCEPTED[difference.kind] ?? ["value"];
    const loss = readingLosses(
      { side: this.writer, message: root.writer, value: sent },
      { side: this.reader, message: root.reader, value: read.value },
      { messages: new Set(placesOf(candidate.place).map(({ writer }) => writer)), fields: candidate.writerFields },
    ).find(
      ({ kind, pointer }) =>
        accepted.includes(kind) && this.#isAt(pointer, candidate.writerFields, candidate.place.writer, this.writer),
    );
    if (loss === undefined) return nothing;
    const reading = JSON.stringify(toJson(this.reader, root.reader, read.value));
    const result = `${root.reader.fullName} is read as ${reading}: ${loss.text}.`;
    return { witness: this.#confirmed(root.writer, sent, bytes, result), elsewhere: null };
  }

  /** The message in JSON, if a JSON reader refuses the candidate's field. */
  #refusedJson(candidate: WitnessCandidate, root: WitnessPlace, sent: MessageValue, bytes: Uint8Array): Witness | null {
    const refusal = jsonRefusal(this.reader, root.reader, toJson(this.writer, root.writer, sent));
    if (refusal === null) return null;
    const isHere =
      refusal.key === null
        ? this.#isAt(refusal.pointer, candidate.readerFields, candidate.place.reader, this.reader)
        : candidate.writerFields.some((field) => field.jsonName === refusal.key);
    return isHere
      ? this.#confirmed(root.writer, sent, bytes, `${root.reader.fullName} is refused in JSON: ${refusal.reason}.`)
      : null;
  }

  /** At one of the fields, or inside its message; not at a neighbouring field. */
  #isAt(pointer: string | null, fields: readonly LinkedField[], message: LinkedMessage, side: LinkedModel): boolean {
    if (pointer === null) return false;
    if (fields.some((field) => field.pointer === pointer)) return true;
    const isNeighbour = message.fields.get(Number(pointer.slice(pointer.lastIndexOf("/") + 1)))?.pointer === pointer;
    return !isNeighbour && fields.some((field) => findMessage(side, field) !== null);
  }

  #confirmed(message: LinkedMessage, value: MessageValue, bytes: Uint8Array, result: string): Witness {
    return {
      status: "confirmed",
      datum: toJson(this.writer, message, value),
      binary: encodeBase64(bytes),
      reader_result: result.length > MAX_WITNESS_BYTES ? `${result.slice(0, MAX_WITNESS_BYTES)}…` : result,
      confirmed_by: CONFIRMED_BY,
    };
  }

  /** The value embedded in the message that is sent, or null if a message on the path cannot be written. */
  #wrap(root: LinkedMessage, way: readonly LinkedField[], value: MessageValue): MessageValue | null {
    let wrapped = value;
    for (let at = way.length - 1; at >= 0; at -= 1) {
      const message = at === 0 ? root : findMessage(this.writer, way[at - 1]!);
      const outer = message === null ? null : this.#sampler.minimal(message);
      if (outer === null) return null;
      outer.values.set(way[at]!.number, [wrapped]);
      wrapped = outer;
    }
    return wrapped;
  }
}

/** Fields examined to write, read and compare a candidate, including those in nested messages. */
function costOf(side: LinkedModel, { place, value }: WitnessCandidate): number {
  const ways = placesOf(place).map(({ writer, reader }) => 1 + writer.required.length + reader.required.length);
  return ways.reduce((sum, way) => sum + way, 0) + sizeOf(side, place.writer, value);
}

function sizeOf(side: LinkedModel, message: LinkedMessage, { values }: MessageValue): number {
  let size = values.size;
  for (const [number, list] of values) {
    const field = side.fields(message).get(number);
    const nested = field === undefined ? null : findMessage(side, field);
    if (nested === null) continue;
    for (const one of list) if (isMessageValue(one)) size += nested.fields.size + sizeOf(side, nested, one);
  }
  return size;
}

/** A location and those on the path to it. */
function placesOf(place: WitnessPlace): WitnessPlace[] {
  const places: WitnessPlace[] = [];
  for (let at: WitnessPlace | null = place; at !== null; at = at.from?.place ?? null) places.push(at);
  return places;
}

function notFound(reason: string): Witness {
  return { status: "not_found", reason };
}
