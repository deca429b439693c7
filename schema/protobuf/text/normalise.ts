/**
 * The text under `normalize=true`: parts with a free order are sorted, and every type has its full name. Messages,
 * nested types, services and rpcs keep their order, because message indexes depend on it.
 */
import { compareCodeUnits } from "../../json-text.ts";
import {
  type Enum,
  type Extend,
  type Field,
  type FieldType,
  fileScope,
  type Import,
  isMessageDefinition,
  joinName,
  type Message,
  type Method,
  type NumberRange,
  type Oneof,
  type Option,
  type ProtobufModel,
  type ProtoFile,
  type Reserved,
  resolveType,
  type Scope,
  type Service,
  type ValueType,
} from "../model.ts";
import { booleanOption } from "../options/plain.ts";
import { printFile } from "./canonical.ts";
import { normaliseOptions } from "./normalise-options.ts";

/** The normalised text of a schema. */
export function normalisedText(model: ProtobufModel): string {
  return printFile(new Normaliser(model).file(), { keepsOptionOrder: true });
}

class Normaliser {
  readonly model: ProtobufModel;

  constructor(model: ProtobufModel) {
    this.model = model;
  }

  file(): ProtoFile {
    const { file } = this.model;
    const scope = fileScope(file);
    const messages = new Map(file.messages.map((message) => [message, this.#message(scope, message)]));
    return {
      ...file,
      hasEdition: file.edition !== "proto2",
      imports: sortedImports(file.imports),
      options: this.#options(scope, file.options),
      messages: [...messages.values()],
      enums: file.enums.map((element) => this.#enum(scope, element)),
      services: file.services.map((service) => this.#service(scope, service)),
      extends: this.#extends(scope, file.extends, messages),
    };
  }

  #message(around: Scope, message: Message): Message {
    const scope: Scope = { file: around.file, fullName: joinName(around.fullName, message.name) };
    const nested = new Map(message.messages.map((inner) => [inner, this.#message(scope, inner)]));
    const fields = this.#fields(scope, message.fields, nested);
    const firstNumber = new Map(fields.toReversed().map(({ oneof, number }) => [oneof, number]));
    const oneofs = new Map<Oneof | null, Oneof>(
      message.oneofs
        .toSorted((a, b) => (firstNumber.get(a) ?? 0) - (firstNumber.get(b) ?? 0))
        .map((oneof) => [oneof, { ...oneof, options: this.#options(scope, oneof.options) }]),
    );
    // A map written as a repeated entry message is folded, and its message is removed.
    const folded = new Set(fields.map(({ type }) => (type.kind === "map" ? type.entry : undefined)));
    return {
      ...message,
      options: this.#options(around, message.options),
      fields: fields.map((field) => ({ ...field, oneof: oneofs.get(field.oneof) ?? null })),
      oneofs: [...oneofs.values()],
      messages: [...nested].filter(([inner]) => !folded.has(inner)).map(([, normalised]) => normalised),
      enums: message.enums.map((element) => this.#enum(scope, element)),
      extends: this.#extends(scope, message.extends, nested),
      reserved: sortedReserved(message.reserved),
      extensionRanges: message.extensionRanges
        .flatMap(({ start, ranges, options }) =>
          ranges.map((range) => ({ start, ranges: [plainRange(range)], options: this.#options(around, options) })),
        )
        .sort((a, b) => compareRanges(a.ranges[0]!, b.ranges[0]!)),
    };
  }

  #fields(scope: Scope, fields: readonly Field[], nested: ReadonlyMap<Message, Message>): Field[] {
    return fields
      .map((field): Field => {
        const type = this.#fieldType(scope, field, nested);
        const label = type.kind === "map" ? null : field.label;
        return { ...field, type, label, options: this.#options(scope, field.options) };
      })
      .sort((a, b) => a.number - b.number);
  }

  #fieldType(scope: Scope, { type, label }: Field, nested: ReadonlyMap<Message, Message>): FieldType {
    switch (type.kind) {
      case "scalar":
        return type;
      case "group":
        return { kind: "group", message: nested.get(type.message) ?? type.message };
      case "map":
        return { ...type, value: this.#valueType(scope, type.value) };
      case "named": {
        const found = label === "repeated" ? resolveType(this.model, scope, type.name) : undefined;
        if (found !== undefined && isMessageDefinition(found) && nested.has(found.element)) {
          const map = this.#folded(found, found.element);
          if (map !== undefined) return map;
        }
        return this.#valueType(scope, type);
      }
    }
  }

  #folded(scope: Scope, entry: Message): FieldType | undefined {
    if (booleanOption(entry.options, "map_entry") !== true) return undefined;
    const key = entry.fields.find(({ number }) => number === 1)?.type;
    const value = entry.fields.find(({ number }) => number === 2)?.type;
    if (key?.kind !== "scalar" || (value?.kind !== "scalar" && value?.kind !== "named")) return undefined;
    return { kind: "map", key: key.name, value: this.#valueType(scope, value), entry };
  }

  #valueType(scope: Scope, type: ValueType): ValueType {
    return type.kind === "scalar" ? type : { kind: "named", name: this.#name(scope, type.name) };
  }

  /** The full name with its leading dot; as written if it does not resolve. */
  #name(scope: Scope, name: string): string {
    const found = resolveType(this.model, scope, name);
    return found === undefined ? name : `.${found.fullName}`;
  }

  #extends(scope: Scope, blocks: readonly Extend[], nested: ReadonlyMap<Message, Message>): Extend[] {
    const byExtendee = Map.groupBy(blocks, ({ extendee }) => this.#name(scope, extendee));
    return [...byExtendee].map(([extendee, [first, ...others]]) => ({
      ...first!,
      extendee,
      fields: this.#fields(
        scope,
        [first!, ...others].flatMap(({ fields }) => fields),
        nested,
      ),
    }));
  }

  #service(around: Scope, service: Service): Service {
    const scope: Scope = { file: around.file, fullName: joinName(around.fullName, service.name) };
    return {
      ...service,
      options: this.#options(around, service.options),
      methods: service.methods.map(
        (method): Method => ({
          ...method,
          input: { ...method.input, name: this.#name(scope, method.input.name) },
          output: { ...method.output, name: this.#name(scope, method.output.name) },
          options: this.#options(scope, method.options),
        }),
      ),
    };
  }

  #enum(around: Scope, element: Enum): Enum {
    // The first value is the default, so it stays first.
    const first = element.values[0]?.number;
    const rank = (number: number) => (number === first ? 0 : 1);
    return {
      ...element,
      options: this.#options(around, element.options),
      values: element.values
        .map((value) => ({ ...value, options: this.#options(around, value.options) }))
        .sort((a, b) => rank(a.number) - rank(b.number) || a.number - b.number || compareCodeUnits(a.name, b.name)),
      reserved: sortedReserved(element.reserved),
    };
  }

  #options(scope: Scope, options: readonly Option[]): readonly Option[] {
    return normaliseOptions(this.model, scope, options);
  }
}

function sortedImports(imports: readonly Import[]): Import[] {
  const unique = new Map(imports.map((entry) => [`${entry.kind} ${entry.path}`, entry]));
  return [...unique.values()].sort((a, b) => compareCodeUnits(a.path, b.path));
}

/** One statement per range, then one per name. */
function sortedReserved(reserved: readonly Reserved[]): Reserved[] {
  const ranges = reserved.flatMap(({ start, ranges: own }) =>
    own.map((range) => ({ start, ranges: [plainRange(range)], names: [] })),
  );
  const names = reserved.flatMap(({ start, names: own }) => own.map((name) => ({ start, ranges: [], names: [name] })));
  return [
    ...ranges.sort((a, b) => compareRanges(a.ranges[0]!, b.ranges[0]!)),
    ...names.sort((a, b) => compareCodeUnits(a.names[0]!, b.names[0]!)),
  ];
}

function plainRange({ start, from, to }: NumberRange): NumberRange {
  return { start, from, to };
}

function compareRanges(a: NumberRange, b: NumberRange): number {
  return a.from - b.from || a.to - b.to;
}
