/**
 * The policy `semantic`: every message that a writer using the writer's schema can produce is accepted by the reader
 * and read without loss of meaning. losses.ts defines loss. Pairs of messages and enums are queued and compared once,
 * so recursive types terminate and depth uses no stack. Differences in types that no sent message can contain, such as
 * an enum that only documents numbers, are reported as information.
 */
import type { CompareOptions, Difference } from "../../../compatibility.ts";
import type { DifferenceList } from "../../../difference-list.ts";
import type { Sliced } from "../../../slices.ts";
import type { WorkMeter } from "../../../work-meter.ts";
import {
  type Definition,
  type Enum,
  isEnumDefinition,
  isMessageDefinition,
  type Message,
  type NumberRange,
  type ProtobufModel,
  type TypeDefinition,
} from "../../model.ts";
import { booleanOption } from "../../options/plain.ts";
import { textOption } from "../features.ts";
import { isSameSource, LinkedModel, localName, messageMicros } from "../linked.ts";
import { CoveredNumbers, showRange } from "../ranges.ts";
import type { SemanticComparison } from "./comparison.ts";
import { compareSemanticEnums } from "./enums.ts";
import { compareSemanticExtensions, compareSemanticFields } from "./fields.ts";
import { LOSSES, type Loss, type LossKind, rateSeverity } from "./losses.ts";
import { compareSemanticServices } from "./rpcs.ts";

/** Compares by losses. */
export function compareByMeaning(
  reader: ProtobufModel,
  writer: ProtobufModel,
  options: CompareOptions,
  work: WorkMeter,
  list: DifferenceList<Difference>,
): Sliced<void> {
  return new ComparisonByMeaning(new LinkedModel(reader), new LinkedModel(writer), options, work, list).compare();
}

class ComparisonByMeaning implements SemanticComparison {
  readonly #list: DifferenceList<Difference>;
  readonly #messagePairs = new Map<Message, Set<Message>>();
  readonly #messageQueue: [Definition<Message>, Definition<Message>][] = [];
  #compared = 0;
  readonly extendees = new Set<string>();
  readonly #enumPairs = new Map<Enum, Set<Enum>>();
  #held: ReadonlySet<Message> | null = null;
  /** Whether the current types can occur in a message that is sent. */
  #isReached = true;

  readonly reader: LinkedModel;
  readonly writer: LinkedModel;
  readonly options: CompareOptions;
  readonly work: WorkMeter;

  constructor(
    reader: LinkedModel,
    writer: LinkedModel,
    options: CompareOptions,
    work: WorkMeter,
    list: DifferenceList<Difference>,
  ) {
    this.reader = reader;
    this.writer = writer;
    this.options = options;
    this.work = work;
    this.#list = list;
  }

  *compare(): Sliced<void> {
    this.#compareFiles();
    const { nested, removed } = this.#pairMessages();
    compareSemanticServices(this);
    yield* this.#compareQueued();
    compareSemanticExtensions(this);
    // Extensions may contain messages that were not encountered elsewhere.
    yield* this.#compareQueued();
    for (const definition of removed) this.#reportRemoved(definition);
    this.#isReached = false;
    for (const [writer, reader] of nested) this.pairTypes(writer, reader);
    this.#pairEnums();
    yield* this.#compareQueued();
  }

  *#compareQueued(): Sliced<void> {
    for (; this.#compared < this.#messageQueue.length; this.#compared += 1) {
      const [writer, reader] = this.#messageQueue[this.#compared]!;
      this.work.note(messageMicros(writer.element));
      if (this.work.isSliceOver()) yield this.work.takeMicros();
      this.#compareMessages(writer, reader);
    }
  }

  add(kind: LossKind, readerPointer: string | null, writerPointer: string | null, what: string, here?: Loss): void {
    const inTable: Loss = { ...LOSSES[kind], severity: rateSeverity(kind, this.options.writers) };
    const { severity, reason, fix } = this.#isReached ? (here ?? inTable) : UNREACHED;
    if (!this.#list.count(severity)) return;
    this.#list.add({
      kind,
      reader_pointer: readerPointer,
      writer_pointer: writerPointer,
      message: `${what} ${reason}`,
      severity,
      ...(fix === undefined ? {} : { fix }),
    });
  }

  pairTypes(writer: TypeDefinition, reader: TypeDefinition): void {
    if (isSameSource(writer, reader)) return;
    if (isMessageDefinition(writer) && isMessageDefinition(reader)) {
      if (isNewPair(this.#messagePairs, writer.element, reader.element)) this.#messageQueue.push([writer, reader]);
    } else if (isEnumDefinition(writer) && isEnumDefinition(reader)) {
      if (isNewPair(this.#enumPairs, writer.element, reader.element)) compareSemanticEnums(this, writer, reader);
    }
  }

  isSameName(writer: TypeDefinition, reader: TypeDefinition): boolean {
    const areOwn = writer.file === this.writer.file && reader.file === this.reader.file;
    return areOwn ? localName(writer) === localName(reader) : writer.fullName === reader.fullName;
  }

  #compareFiles(): void {
    const [before, after] = [this.writer.file, this.reader.file];
    if (before.package !== after.package) {
      const what = `The package changed from "${before.package}" to "${after.package}".`;
      this.add("PACKAGE_CHANGED", "#", "#", what);
      if (before.services.length > 0) this.add("SERVICE_PATH_CHANGED", "#", "#", what);
      if (usesAny(this.writer)) this.add("ANY_TYPE_URL_CHANGED", "#", "#", what);
    }
    if (before.edition !== after.edition) {
      this.add("SYNTAX_CHANGED", "#", "#", `The syntax changed from ${before.edition} to ${after.edition}.`);
    }
    for (const name of SOURCE_OPTIONS) {
      const [was, is] = [textOption(before.options, name), textOption(after.options, name)];
      if (was === is) continue;
      const what = `The file option "${name}" changed from ${was ?? "unset"} to ${is ?? "unset"}.`;
      this.add("FILE_OPTION_CHANGED", "#", "#", what);
    }
  }

  /**
   * Pairs the messages that may be sent on their own. Returns the pairs of nested messages, which are sent only in
   * fields that contain them, and the messages that the reader lacks.
   */
  #pairMessages(): { nested: [Definition<Message>, Definition<Message>][]; removed: Definition<Message>[] } {
    const nested: [Definition<Message>, Definition<Message>][] = [];
    const removed: Definition<Message>[] = [];
    const after = new Map(declared(this.reader).map((definition) => [localName(definition), definition]));
    const before = declared(this.writer);
    const names = new Set(before.map(localName));
    for (const definition of before) {
      const place = this.writer.pointer(definition);
      this.work.spend(1, () => place);
      const name = localName(definition);
      const match = after.get(name);
      if (match === undefined) removed.push(definition);
      else {
        if (indexOf(this.writer, definition) !== indexOf(this.reader, match)) {
          this.add("MESSAGE_MOVED", this.reader.pointer(match), place, `The message "${name}" moved in its file.`);
        }
        if (isSentByItself(definition)) this.pairTypes(definition, match);
        else nested.push([definition, match]);
      }
    }
    for (const [name, definition] of after) {
      if (names.has(name)) continue;
      this.work.spend(1, () => this.reader.pointer(definition));
      this.add("MESSAGE_ADDED", this.reader.pointer(definition), null, `The message "${name}" is new.`);
    }
    return { nested, removed };
  }

  #reportRemoved(definition: Definition<Message>): void {
    const place = this.writer.pointer(definition);
    const isRead = this.#messagePairs.has(definition.element);
    const isUnreached = !isSentByItself(definition) && !this.#heldMessages().has(definition.element);
    const here = isRead ? READ_AS_OTHER : isUnreached ? UNREACHED : undefined;
    this.add("MESSAGE_REMOVED", null, place, `The reader has no message "${localName(definition)}".`, here);
  }

  /** Messages that a field of another message or a map entry contains. */
  #heldMessages(): ReadonlySet<Message> {
    if (this.#held !== null) return this.#held;
    const held = new Set<Message>();
    for (const definition of this.writer.fileMessages()) {
      const { pointer, fields } = this.writer.message(definition);
      this.work.spend(fields.size, () => pointer);
      for (const { type } of fields.values()) {
        if (type?.element.kind === "message" && type.element !== definition.element) held.add(type.element);
      }
    }
    this.#held = held;
    return held;
  }

  #pairEnums(): void {
    const after = new Map(this.reader.fileEnums().map((definition) => [localName(definition), definition]));
    const before = this.writer.fileEnums();
    const names = new Set(before.map(localName));
    for (const definition of before) {
      const place = this.writer.pointer(definition);
      this.work.spend(1, () => place);
      const match = after.get(localName(definition));
      if (match !== undefined) this.pairTypes(definition, match);
      else this.add("ENUM_REMOVED", null, place, `The reader has no enum "${localName(definition)}".`);
    }
    for (const [name, definition] of after) {
      if (names.has(name)) continue;
      this.work.spend(1, () => this.reader.pointer(definition));
      this.add("ENUM_ADDED", this.reader.pointer(definition), null, `The enum "${name}" is new.`);
    }
  }

  #compareMessages(writer: Definition<Message>, reader: Definition<Message>): void {
    const [before, after] = [this.writer.message(writer), this.reader.message(reader)];
    this.work.spend(1, () => before.pointer);
    const isSet = (message: Message) => booleanOption(message.options, "message_set_wire_format") === true;
    if (isSet(writer.element) !== isSet(reader.element)) {
      const what = `The message "${localName(writer)}" changed its wire format.`;
      this.add("MESSAGE_SET_FORMAT_CHANGED", after.pointer, before.pointer, what);
    }
    compareSemanticFields(this, before, after);
    this.#compareReserved(writer, reader);
    const kept = new CoveredNumbers(reader.element.extensionRanges.flatMap((declaration) => declaration.ranges));
    for (const range of writer.element.extensionRanges.flatMap((declaration) => declaration.ranges)) {
      this.work.spend(1, () => before.pointer);
      if (kept.covers(range)) continue;
      const what = `The reader gives up extension numbers of ${showRange(range)} in the message "${localName(reader)}".`;
      this.add("EXTENSION_RANGE_REMOVED", after.pointer, before.pointer, what);
    }
  }

  #compareReserved(writer: Definition<Message>, reader: Definition<Message>): void {
    const [before, after] = [this.writer.message(writer), this.reader.message(reader)];
    const reservedBefore = writer.element.reserved.flatMap((reserved) => reserved.ranges);
    const wasReserved = new CoveredNumbers(reservedBefore);
    const reused: NumberRange[] = [];
    for (const { number, name, pointer, element } of after.fields.values()) {
      this.work.spend(1, () => pointer);
      if (!wasReserved.has(number)) continue;
      reused.push({ start: element.start, from: number, to: number });
      const what = `The reader uses the number ${number} for the field "${name}".`;
      this.add("RESERVED_NUMBER_REUSED", pointer, before.pointer, what);
    }
    // A reused number has been reported; other losses of its range have not.
    const isAccountedFor = new CoveredNumbers([...reused, ...reader.element.reserved.flatMap(({ ranges }) => ranges)]);
    for (const range of reservedBefore) {
      this.work.spend(1, () => before.pointer);
      if (isAccountedFor.covers(range)) continue;
      const what = `Numbers of ${showRange(range)} are no longer reserved.`;
      this.add("RESERVED_REMOVED", after.pointer, before.pointer, what);
    }
    this.#compareReservedNames(writer, reader);
  }

  #compareReservedNames(writer: Definition<Message>, reader: Definition<Message>): void {
    const [before, after] = [this.writer.message(writer), this.reader.message(reader)];
    const names = new Set(reader.element.reserved.flatMap((reserved) => reserved.names));
    for (const name of writer.element.reserved.flatMap((reserved) => reserved.names)) {
      this.work.spend(1, () => before.pointer);
      const field = after.fieldsByName.get(name);
      if (field !== undefined) {
        const what = `The reader uses the name "${name}" for a field.`;
        this.add("RESERVED_NAME_REUSED", field.pointer, before.pointer, what);
      } else if (!names.has(name)) {
        this.add("RESERVED_REMOVED", after.pointer, before.pointer, `The name "${name}" is no longer reserved.`);
      }
    }
  }
}

/** The severity for types that no sent message can contain. */
const UNREACHED: Loss = { severity: "info", reason: "No message that can be sent holds it, so nothing is lost." };

/** The severity of removing a message whose containing fields now contain another one. */
const READ_AS_OTHER: Loss = {
  severity: "warning",
  reason: "Fields that held it are read as the message that they hold now; sent by itself, it could not be read.",
  fix: "Keep the message if it is sent by itself, marked as deprecated.",
};

/** File options that only affect generated code. */
const SOURCE_OPTIONS = [
  "go_package",
  "java_package",
  "java_outer_classname",
  "java_multiple_files",
  "csharp_namespace",
  "objc_class_prefix",
  "php_class_prefix",
  "php_namespace",
  "php_metadata_namespace",
  "ruby_package",
  "swift_prefix",
  "optimize_for",
] as const;

/**
 * Whether data may consist of the message alone. A nested message is not sent on its own, unless the enclosing one has
 * no fields and only serves as a namespace.
 */
export function isSentByItself({ parent }: Definition<Message>): boolean {
  if (parent === null || !isMessageDefinition(parent)) return true;
  return parent.element.fields.length === 0 && isSentByItself(parent);
}

function declared(side: LinkedModel): Definition<Message>[] {
  return side.fileMessages().filter(({ element }) => element.synthetic === null);
}

/** The position among the messages declared next to it. */
function indexOf(side: LinkedModel, { parent, element }: Definition<Message>): number {
  const siblings = parent !== null && isMessageDefinition(parent) ? parent.element.messages : side.file.messages;
  return side.positions(siblings).get(element) ?? -1;
}

function isNewPair<E>(pairs: Map<E, Set<E>>, writer: E, reader: E): boolean {
  const readers = pairs.get(writer) ?? new Set<E>();
  pairs.set(writer, readers);
  if (readers.has(reader)) return false;
  readers.add(reader);
  return true;
}

function usesAny(side: LinkedModel): boolean {
  return side
    .fileMessages()
    .some((definition) =>
      [...side.message(definition).fields.values()].some(({ typeName }) => typeName === "google.protobuf.Any"),
    );
}
