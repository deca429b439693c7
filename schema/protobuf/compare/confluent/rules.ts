/**
 * The Confluent server's rules for Protobuf (`strict` and `lenient`, which agree here): element models compared by
 * field number, with its names for changes. They ignore services, options, presence and JSON names.
 */
import type { Difference } from "../../../compatibility.ts";
import type { DifferenceList } from "../../../difference-list.ts";
import type { Sliced } from "../../../slices.ts";
import type { WorkMeter } from "../../../work-meter.ts";
import {
  type Definition,
  type Enum,
  type Field,
  isMessageDefinition,
  joinName,
  type Message,
  type Oneof,
  type ProtobufModel,
} from "../../model.ts";
import { isSameSource, LinkedModel, localName, messageMicros } from "../linked.ts";
import { fieldsByNumber, oneofOrigins } from "../oneofs.ts";
import { CONFLUENT_KINDS, type ConfluentKind } from "./kinds.ts";
import { describeType, type MessageDescription, SCALAR_GROUPS, type ScalarDescription } from "./type-groups.ts";

/** A writer message and the reader message that reads it. */
type Pair = {
  writer: Definition<Message>;
  reader: Definition<Message>;
  breaks: boolean;
  /** Pairs whose break also breaks this pair; `report` adds the difference at the field that uses the type. */
  dependsOn: { pair: Pair; report: (() => void) | null }[];
};

/** Compares by the Confluent server's rules. */
export function compareByConfluentRules(
  reader: ProtobufModel,
  writer: ProtobufModel,
  work: WorkMeter,
  list: DifferenceList<Difference>,
): Sliced<void> {
  return new ConfluentComparison(new LinkedModel(reader), new LinkedModel(writer), work, list).compare();
}

class ConfluentComparison {
  readonly #list: DifferenceList<Difference>;
  readonly #pairs = new Map<Message, Map<Message, Pair>>();
  readonly #queue: Pair[] = [];
  #current: Pair | null = null;

  readonly reader: LinkedModel;
  readonly writer: LinkedModel;
  readonly work: WorkMeter;

  constructor(reader: LinkedModel, writer: LinkedModel, work: WorkMeter, list: DifferenceList<Difference>) {
    this.reader = reader;
    this.writer = writer;
    this.work = work;
    this.#list = list;
  }

  *compare(): Sliced<void> {
    if (this.writer.file.package !== this.reader.file.package) {
      this.#add(
        "PACKAGE_CHANGED",
        "#",
        "#",
        `The package changed from "${this.writer.file.package}" to "${this.reader.file.package}".`,
        {
          fix: `Keep the package "${this.writer.file.package}", or register under another subject.`,
        },
      );
    }
    this.#compareMessageLists(this.writer.file, this.reader.file, null);
    this.#compareEnumLists(this.writer.file, this.reader.file);
    // Pairs are queued instead of entered recursively: a recursive type is visited once, and depth uses no stack.
    for (let at = 0; at < this.#queue.length; at += 1) {
      const pair = this.#queue[at]!;
      this.work.note(messageMicros(pair.writer.element));
      if (this.work.isSliceOver()) yield this.work.takeMicros();
      this.#comparePair(pair);
    }
    this.#current = null;
    this.#reportNamedTypes();
  }

  #comparePair(pair: Pair): void {
    this.#current = pair;
    const { writer, reader } = pair;
    this.#compareMessageLists(writer, reader, pair);
    this.#compareEnumLists(writer, reader);
    this.#compareOneofs(writer, reader);
    this.#compareFields(writer, reader);
  }

  #compareMessageLists(writer: MessageScope, reader: MessageScope, within: Pair | null): void {
    const before = this.#nestedMessages(this.writer, writer);
    const after = this.#nestedMessages(this.reader, reader);
    for (const [name, { definition, index }] of before) {
      const place = this.writer.pointer(definition);
      this.work.spend(1, () => place);
      const match = after.get(name);
      if (match === undefined) {
        this.#add("MESSAGE_REMOVED", null, place, `The reader has no message "${localName(definition)}".`, {
          fix: `Keep the message "${localName(definition)}".`,
        });
        continue;
      }
      if (match.index !== index) {
        const text = `The message "${localName(definition)}" moved from position ${index} to ${match.index} among its siblings.`;
        this.#add("MESSAGE_MOVED", this.reader.pointer(match.definition), place, text);
      }
      const pair = this.#pair(definition, match.definition);
      within?.dependsOn.push({ pair, report: null });
    }
    for (const [name, { definition }] of after) {
      if (before.has(name)) continue;
      this.work.spend(1, () => this.reader.pointer(definition));
      this.#add(
        "MESSAGE_ADDED",
        this.reader.pointer(definition),
        null,
        `The message "${localName(definition)}" is new.`,
      );
    }
  }

  #nestedMessages(side: LinkedModel, scope: MessageScope) {
    const found = new Map<string, { definition: Definition<Message>; index: number }>();
    let index = 0;
    for (const message of messagesOf(scope)) {
      // A map entry is the encoding of a map field, and a group belongs to its field, so neither was declared as a
      // message.
      if (message.synthetic !== null) continue;
      const definition = side.model.definitions.get(joinName(scopeName(scope), message.name));
      if (definition !== undefined && isMessageDefinition(definition) && !found.has(message.name)) {
        found.set(message.name, { definition, index });
      }
      index += 1;
    }
    return found;
  }

  #compareEnumLists(writer: MessageScope, reader: MessageScope): void {
    const before = new Map(enumsOf(writer).map((element) => [element.name, element]));
    const after = new Map(enumsOf(reader).map((element) => [element.name, element]));
    for (const [name, element] of before) {
      const place = this.#enumPointer(this.writer, writer, element);
      this.work.spend(1, () => place);
      const match = after.get(name);
      if (match === undefined) this.#add("ENUM_REMOVED", null, place, `The reader has no enum "${name}".`);
      else this.#compareEnums(element, match, place, this.#enumPointer(this.reader, reader, match));
    }
    for (const [name, element] of after) {
      if (before.has(name)) continue;
      this.#add("ENUM_ADDED", this.#enumPointer(this.reader, reader, element), null, `The enum "${name}" is new.`);
    }
  }

  #enumPointer(side: LinkedModel, scope: MessageScope, element: Enum): string {
    const fullName = joinName(scopeName(scope), element.name);
    return side.pointer({ file: scope === side.file ? side.file : (scope as Definition<Message>).file, fullName });
  }

  #compareEnums(writer: Enum, reader: Enum, writerPlace: string, readerPlace: string): void {
    const before = namesByNumber(writer);
    const after = namesByNumber(reader);
    for (const [number, names] of before) {
      const place = `${writerPlace}/${number}`;
      this.work.spend(1, () => place);
      const match = after.get(number);
      if (match === undefined) {
        this.#add(
          "ENUM_CONST_REMOVED",
          null,
          place,
          `The reader's enum "${reader.name}" has no value ${number} ("${names}").`,
        );
      } else if (match !== names) {
        const text = `The value ${number} of the enum "${writer.name}" changed its name from "${names}" to "${match}".`;
        this.#add("ENUM_CONST_CHANGED", `${readerPlace}/${number}`, place, text);
      }
    }
    for (const [number, names] of after) {
      if (before.has(number)) continue;
      this.work.spend(1, () => `${readerPlace}/${number}`);
      const text = `The value ${number} ("${names}") of the enum "${reader.name}" is new.`;
      this.#add("ENUM_CONST_ADDED", `${readerPlace}/${number}`, null, text);
    }
  }

  #compareOneofs(writer: Definition<Message>, reader: Definition<Message>): void {
    const before = new Set(writer.element.oneofs.map(({ name }) => name));
    const after = new Set(reader.element.oneofs.map(({ name }) => name));
    for (const [oneof, origins] of oneofOrigins(writer.element, reader.element)) {
      if (origins.size > 1) this.#addMergedIntoOneof(writer, reader, oneof, origins);
    }
    const [readerPlace, writerPlace] = [this.reader.pointer(reader), this.writer.pointer(writer)];
    for (const name of before) {
      if (!after.has(name))
        this.#add("ONEOF_REMOVED", null, `${writerPlace}/${name}`, `The reader has no oneof "${name}".`);
    }
    for (const name of after) {
      if (!before.has(name)) this.#add("ONEOF_ADDED", `${readerPlace}/${name}`, null, `The oneof "${name}" is new.`);
    }
  }

  /** A oneof keeps one value: of members that could be set together before, only the last remains. */
  #addMergedIntoOneof(
    writer: Definition<Message>,
    reader: Definition<Message>,
    oneof: Oneof,
    origins: Set<Oneof | Field>,
  ): void {
    const fromTopLevel = [...origins].filter((origin) => origin.kind === "field");
    const names = [...origins].map(({ kind, name }) => `${kind} "${name}"`).join(", ");
    this.#add(
      fromTopLevel.length > 1 ? "MULTIPLE_FIELDS_MOVED_TO_ONEOF" : "FIELD_MOVED_TO_EXISTING_ONEOF",
      `${this.reader.pointer(reader)}/${oneof.name}`,
      this.writer.pointer(writer),
      `The reader's oneof "${oneof.name}" keeps one value, but the writer can set what comes from ${names} together.`,
      { fix: `Leave the fields outside the oneof "${oneof.name}", or add new fields to it.` },
    );
  }

  #compareFields(writer: Definition<Message>, reader: Definition<Message>): void {
    const before = fieldsByNumber(writer.element);
    const after = fieldsByNumber(reader.element);
    const [readerPlace, writerPlace] = [this.reader.pointer(reader), this.writer.pointer(writer)];
    const survivingOneofs = new Set<Oneof>();
    for (const field of writer.element.fields) {
      if (field.oneof !== null && after.has(field.number)) survivingOneofs.add(field.oneof);
    }
    const oneofNames = new Set(reader.element.oneofs.map(({ name }) => name));
    for (const [number, field] of before) {
      const place = `${writerPlace}/${number}`;
      this.work.spend(1, () => place);
      const match = after.get(number);
      if (match !== undefined) this.#compareField(writer, reader, field, match, place, `${readerPlace}/${number}`);
      else if (field.oneof === null) this.#addFieldRemoved(field, place);
      else if (oneofNames.has(field.oneof.name) || survivingOneofs.has(field.oneof)) {
        this.#add(
          "ONEOF_FIELD_REMOVED",
          null,
          place,
          `The reader has no field ${number} ("${field.name}") in the oneof "${field.oneof.name}".`,
          {
            fix: `Keep the field "${field.name}" in the oneof "${field.oneof.name}".`,
          },
        );
      }
    }
    for (const [number, field] of after) {
      if (before.has(number)) continue;
      const place = `${readerPlace}/${number}`;
      this.work.spend(1, () => place);
      if (field.oneof !== null) {
        this.#add(
          "ONEOF_FIELD_ADDED",
          place,
          null,
          `The field ${number} ("${field.name}") of the oneof "${field.oneof.name}" is new.`,
        );
      } else if (field.label === "required") {
        this.#add(
          "REQUIRED_FIELD_ADDED",
          place,
          null,
          `The required field ${number} ("${field.name}") is new: the writer never sends it.`,
          {
            fix: `Make the field "${field.name}" optional.`,
          },
        );
      } else this.#add("FIELD_ADDED", place, null, `The field ${number} ("${field.name}") is new.`);
    }
  }

  #addFieldRemoved(field: Field, place: string): void {
    const text = `The reader has no field ${field.number} ("${field.name}").`;
    if (field.label !== "required") this.#add("FIELD_REMOVED", null, place, text);
    else this.#add("REQUIRED_FIELD_REMOVED", null, place, text, { fix: `Keep the required field "${field.name}".` });
  }

  #compareField(
    writer: Definition<Message>,
    reader: Definition<Message>,
    before: Field,
    after: Field,
    writerPlace: string,
    readerPlace: string,
  ): void {
    if (before.oneof !== null && after.oneof === null) {
      const text = `The field ${before.number} ("${before.name}") left the oneof "${before.oneof.name}".`;
      this.#add("ONEOF_FIELD_MOVED_TO_TOP_LEVEL", readerPlace, writerPlace, text);
    }
    if (before.name !== after.name) {
      const text = `The field ${before.number} changed its name from "${before.name}" to "${after.name}".`;
      this.#add("FIELD_NAME_CHANGED", readerPlace, writerPlace, text);
    }
    const places = { readerPlace, writerPlace, name: after.name };
    if (before.type.kind === "map" && after.type.kind === "map") {
      const { key: keyBefore, value: valueBefore } = before.type;
      const { key: keyAfter, value: valueAfter } = after.type;
      this.#compareTypes(
        writer,
        reader,
        { kind: "scalar", name: keyBefore },
        { kind: "scalar", name: keyAfter },
        null,
        places,
      );
      this.#compareTypes(writer, reader, valueBefore, valueAfter, null, places);
    } else this.#compareTypes(writer, reader, before.type, after.type, [before, after], places);
  }

  #compareTypes(
    writer: Definition<Message>,
    reader: Definition<Message>,
    before: Field["type"],
    after: Field["type"],
    labelled: [Field, Field] | null,
    places: Places,
  ): void {
    const [was, is] = [describeType(this.writer, writer, before), describeType(this.reader, reader, after)];
    const { readerPlace, writerPlace, name } = places;
    if (was.kind !== is.kind) {
      this.#add(
        "FIELD_KIND_CHANGED",
        readerPlace,
        writerPlace,
        `The field "${name}" changed from ${was.text} to ${is.text}.`,
        {
          fix: `Keep ${was.text}, or add a field with a new number.`,
        },
      );
    } else if (was.kind === "scalar" && is.kind === "scalar") {
      this.#compareScalars(was, is, labelled, places);
    } else if (was.kind === "message" && is.kind === "message") this.#compareNamedTypes(was, is, places);
  }

  #compareScalars(
    was: ScalarDescription,
    is: ScalarDescription,
    labelled: [Field, Field] | null,
    places: Places,
  ): void {
    const { readerPlace, writerPlace, name } = places;
    const group = SCALAR_GROUPS[was.scalar];
    if (group !== SCALAR_GROUPS[is.scalar]) {
      const text = `The field "${name}" changed from ${was.text} (a ${group}) to ${is.text} (a ${SCALAR_GROUPS[is.scalar]}).`;
      this.#add("FIELD_SCALAR_KIND_CHANGED", readerPlace, writerPlace, text, {
        fix: `Keep ${was.text}, or add a field with a new number.`,
      });
      return;
    }
    const [before, after] = labelled ?? [];
    if (!before?.label || !after?.label || before.label === after.label) return;
    const text = `The field "${name}" changed its label from ${before.label} to ${after.label}.`;
    if (group === "string or bytes") this.#add("FIELD_STRING_OR_BYTES_LABEL_CHANGED", readerPlace, writerPlace, text);
    else
      this.#add("FIELD_NUMERIC_LABEL_CHANGED", readerPlace, writerPlace, text, {
        fix: `Keep the label ${before.label}.`,
      });
  }

  #compareNamedTypes(was: MessageDescription, is: MessageDescription, places: Places): void {
    const { readerPlace, writerPlace, name } = places;
    const report = () =>
      this.#add(
        "FIELD_NAMED_TYPE_CHANGED",
        readerPlace,
        writerPlace,
        `The type of the field "${name}" changed from ${was.text} to ${is.text}.`,
        {
          fix: `Keep a type that is compatible with ${was.text}, or add a field with a new number.`,
        },
      );
    if (was.definition === null || is.definition === null) {
      if (was.written !== is.written) report();
      return;
    }
    if (localName(was.definition) !== localName(is.definition)) {
      report();
      return;
    }
    if (!isSameSource(was.definition, is.definition)) {
      const pair = this.#pair(was.definition, is.definition);
      const changed = () =>
        this.#add(
          "FIELD_NAMED_TYPE_CHANGED",
          readerPlace,
          writerPlace,
          `The type ${was.text} of the field "${name}" changed incompatibly.`,
          {
            fix: `Undo the incompatible changes to ${was.text}.`,
          },
        );
      // A recursive message already has its own differences.
      if (pair !== this.#current) this.#current!.dependsOn.push({ pair, report: changed });
    }
  }

  #pair(writer: Definition<Message>, reader: Definition<Message>): Pair {
    const byReader = this.#pairs.get(writer.element) ?? new Map<Message, Pair>();
    this.#pairs.set(writer.element, byReader);
    const known = byReader.get(reader.element);
    if (known !== undefined) return known;
    const pair: Pair = { writer, reader, breaks: false, dependsOn: [] };
    byReader.set(reader.element, pair);
    this.#queue.push(pair);
    return pair;
  }

  /** A break propagates from a message to all messages that contain it; the fields in between are named. */
  #reportNamedTypes(): void {
    const dependants = new Map<Pair, Pair[]>();
    for (const pair of this.#queue) {
      for (const dependency of pair.dependsOn) {
        const list = dependants.get(dependency.pair);
        if (list === undefined) dependants.set(dependency.pair, [pair]);
        else list.push(pair);
      }
    }
    const broken = this.#queue.filter(({ breaks }) => breaks);
    for (let at = 0; at < broken.length; at += 1) {
      for (const dependant of dependants.get(broken[at]!) ?? []) {
        if (dependant.breaks) continue;
        dependant.breaks = true;
        broken.push(dependant);
      }
    }
    for (const { dependsOn } of this.#queue) {
      for (const { pair, report } of dependsOn) if (pair.breaks) report?.();
    }
  }

  #add(
    kind: ConfluentKind,
    reader: string | null,
    writer: string | null,
    message: string,
    extra: { fix?: string } = {},
  ): void {
    const severity = CONFLUENT_KINDS[kind];
    if (severity === "breaking" && this.#current !== null) this.#current.breaks = true;
    if (!this.#list.count(severity)) return;
    this.#list.add({ kind, reader_pointer: reader, writer_pointer: writer, message, severity, ...extra });
  }
}

type Places = { readerPlace: string; writerPlace: string; name: string };
type MessageScope = LinkedModel["file"] | Definition<Message>;

function messagesOf(scope: MessageScope): readonly Message[] {
  return "element" in scope ? scope.element.messages : scope.messages;
}

function enumsOf(scope: MessageScope): readonly Enum[] {
  return "element" in scope ? scope.element.enums : scope.enums;
}

function scopeName(scope: MessageScope): string {
  return "element" in scope ? scope.fullName : scope.package;
}

/** Aliases of one number are a single value with several names. */
function namesByNumber(element: Enum): Map<number, string> {
  const names = new Map<number, string>();
  for (const { name, number } of element.values) {
    const known = names.get(number);
    names.set(number, known === undefined ? name : `${known}, ${name}`);
  }
  return names;
}
