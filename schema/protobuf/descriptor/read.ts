/**
 * Converts a FileDescriptorProto to the elements of a file. Options are bytes until their extensions are known, so they
 * are passed to `readOptions`; map entries and groups become what the text had.
 */
import { toBinary } from "@bufbuild/protobuf";
import {
  Edition as DescriptorEdition,
  type DescriptorProto,
  type EnumDescriptorProto,
  EnumOptionsSchema,
  EnumValueOptionsSchema,
  ExtensionRangeOptionsSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldOptionsSchema,
  type FileDescriptorProto,
  FileOptionsSchema,
  MessageOptionsSchema,
  MethodOptionsSchema,
  OneofOptionsSchema,
  type ServiceDescriptorProto,
  ServiceOptionsSchema,
  SymbolVisibility,
} from "@bufbuild/protobuf/wkt";
import type { SchemaReference } from "../../format.ts";
import {
  type Edition,
  type Enum,
  type Extend,
  type ExtensionRanges,
  type Field,
  type FieldType,
  type Import,
  type Label,
  type Message,
  type Oneof,
  type Option,
  type OptionValue,
  type ProtoFile,
  type Reserved,
  SCALAR_TYPES,
  type ScalarType,
  type Service,
  type ValueType,
  type Visibility,
} from "../model.ts";
import { defaultJsonName } from "../names.ts";
import { MAX_MESSAGE_DEPTH } from "../parse/message.ts";
import { decodeString, MAX_ELEMENTS, ProtoTextError } from "../parse/tokens.ts";

/** Converts the bytes of an options message to written options; `kind` is `FieldOptions` and the like. */
export type ReadOptions = (kind: string, bytes: Uint8Array) => readonly Option[];

type DescriptorFileOptions = {
  path: string;
  reference: SchemaReference | null;
  isBuiltin: boolean;
  readOptions: ReadOptions;
};

/** The file that a descriptor describes. Throws ProtoTextError for invalid ones. */
export function fileFromDescriptor(descriptor: FileDescriptorProto, options: DescriptorFileOptions): ProtoFile {
  return new DescriptorReader(descriptor, options).file();
}

const OPTION_SCHEMAS = {
  FileOptions: FileOptionsSchema,
  MessageOptions: MessageOptionsSchema,
  FieldOptions: FieldOptionsSchema,
  OneofOptions: OneofOptionsSchema,
  EnumOptions: EnumOptionsSchema,
  EnumValueOptions: EnumValueOptionsSchema,
  ExtensionRangeOptions: ExtensionRangeOptionsSchema,
  ServiceOptions: ServiceOptionsSchema,
  MethodOptions: MethodOptionsSchema,
};
type OptionKind = keyof typeof OPTION_SCHEMAS;

class DescriptorReader {
  #ordinal = 0;

  readonly descriptor: FileDescriptorProto;
  readonly settings: DescriptorFileOptions;

  constructor(descriptor: FileDescriptorProto, settings: DescriptorFileOptions) {
    this.descriptor = descriptor;
    this.settings = settings;
  }

  file(): ProtoFile {
    const { descriptor, settings } = this;
    const messages: Message[] = descriptor.messageType.map((message) => this.#message(message, null, 1));
    return {
      path: settings.path,
      text: "",
      edition: this.#edition(),
      hasEdition: descriptor.syntax !== "" || descriptor.edition !== DescriptorEdition.EDITION_UNKNOWN,
      package: descriptor.package,
      imports: this.#imports(),
      options: this.#options("FileOptions", descriptor.options),
      messages,
      enums: descriptor.enumType.map((element) => this.#enum(element)),
      services: descriptor.service.map((service) => this.#service(service)),
      extends: this.#extends(descriptor.extension, messages, descriptor.messageType),
      reference: settings.reference,
      isBuiltin: settings.isBuiltin,
    };
  }

  #edition(): Edition {
    const { syntax, edition } = this.descriptor;
    if (syntax === "" || syntax === "proto2") return "proto2";
    if (syntax === "proto3") return "proto3";
    if (edition === DescriptorEdition.EDITION_2023) return "2023";
    if (edition === DescriptorEdition.EDITION_2024) return "2024";
    return refuse(`Unknown syntax "${syntax}" or edition ${edition} in a descriptor.`);
  }

  #imports(): Import[] {
    const { dependency, publicDependency, weakDependency, optionDependency } = this.descriptor;
    const isPublic = new Set(publicDependency);
    const isWeak = new Set(weakDependency);
    return [
      ...dependency.map((path, index): Import => {
        const kind = isPublic.has(index) ? "public" : isWeak.has(index) ? "weak" : "default";
        return { start: this.#next(), path, kind };
      }),
      ...optionDependency.map((path): Import => ({ start: this.#next(), path, kind: "option" })),
    ];
  }

  #message(descriptor: DescriptorProto, synthetic: "group" | "map_entry" | null, depth: number): Message {
    if (depth > MAX_MESSAGE_DEPTH) {
      const message = `Messages are nested deeper than ${MAX_MESSAGE_DEPTH} levels.`;
      throw new ProtoTextError("message_too_deep", message, 0, "too_complex");
    }
    const start = this.#next();
    const oneofs = descriptor.oneofDecl.map(
      (oneof): Oneof => ({
        kind: "oneof",
        start: this.#next(),
        documentation: null,
        name: oneof.name,
        options: this.#options("OneofOptions", oneof.options),
      }),
    );
    const groups = groupNames(descriptor.field.concat(descriptor.extension), this.#edition());
    const nested = descriptor.nestedType.map((message) => {
      const kind = message.options?.mapEntry === true ? "map_entry" : groups.has(message.name) ? "group" : null;
      return this.#message(message, kind, depth + 1);
    });
    const fields = descriptor.field.map((field) => this.#field(field, nested, oneofs));
    const real = new Set(fields.map(({ oneof }) => oneof));
    return {
      kind: "message",
      start,
      documentation: null,
      name: descriptor.name,
      synthetic,
      visibility: visibility(descriptor.visibility),
      options: this.#options("MessageOptions", descriptor.options, ["map_entry"]),
      fields,
      // A oneof that only represents a proto3 optional is not written in the text.
      oneofs: oneofs.filter((oneof, index) => real.has(oneof) || !isSyntheticOneof(descriptor, index)),
      messages: nested,
      enums: descriptor.enumType.map((element) => this.#enum(element)),
      extends: this.#extends(descriptor.extension, nested, descriptor.nestedType),
      reserved: this.#reserved(
        descriptor.reservedRange.map(({ start: from, end }) => ({ from, to: end - 1 })),
        descriptor.reservedName,
      ),
      extensionRanges: descriptor.extensionRange.map(
        (range): ExtensionRanges => ({
          start: this.#next(),
          ranges: [{ start: this.#next(), from: range.start, to: range.end - 1 }],
          options: this.#options("ExtensionRangeOptions", range.options),
        }),
      ),
    };
  }

  #field(field: FieldDescriptorProto, nested: readonly Message[], oneofs: readonly Oneof[]): Field {
    const edition = this.#edition();
    const type = this.#fieldType(field, nested);
    const oneof = !isSet(field, "oneofIndex") || field.proto3Optional ? null : (oneofs[field.oneofIndex] ?? null);
    const options: Option[] = [];
    if (field.defaultValue !== "" || isSet(field, "defaultValue")) {
      options.push(this.#plain("default", defaultValue(field)));
    }
    if (isSet(field, "jsonName") && field.jsonName !== defaultJsonName(field.name)) {
      options.push(this.#plain("json_name", { kind: "string", value: field.jsonName }));
    }
    options.push(...this.#options("FieldOptions", field.options));
    return {
      kind: "field",
      start: this.#next(),
      documentation: null,
      name: field.name,
      number: field.number,
      label: type.kind === "map" ? null : fieldLabel(field, edition, oneof !== null),
      type,
      oneof,
      options,
    };
  }

  #fieldType(field: FieldDescriptorProto, nested: readonly Message[]): FieldType {
    const local = field.typeName.slice(field.typeName.lastIndexOf(".") + 1);
    if (field.type === FieldDescriptorProto_Type.MESSAGE && field.label === FieldDescriptorProto_Label.REPEATED) {
      const entry = nested.find(({ name, synthetic }) => name === local && synthetic === "map_entry");
      const key = entry?.fields[0]?.type;
      const value = entry?.fields[1]?.type;
      if (entry !== undefined && key?.kind === "scalar" && (value?.kind === "scalar" || value?.kind === "named")) {
        return { kind: "map", key: key.name, value, entry };
      }
    }
    if (field.type === FieldDescriptorProto_Type.GROUP && this.#edition() === "proto2") {
      const message = nested.find(({ name, synthetic }) => name === local && synthetic === "group");
      if (message === undefined) return refuse(`The group of field "${field.name}" is missing in a descriptor.`);
      return { kind: "group", message };
    }
    return valueType(field);
  }

  /** Consecutive extensions of one message come from one block. */
  #extends(
    extensions: readonly FieldDescriptorProto[],
    scope: Message[],
    descriptors: readonly DescriptorProto[],
  ): Extend[] {
    const blocks: { start: number; kind: "extend"; extendee: string; fields: Field[] }[] = [];
    const groups = groupNames(extensions, this.#edition());
    // At file level, groups of extensions are recognised only here.
    scope.forEach((message, index) => {
      if (message.synthetic === null && groups.has(descriptors[index]!.name)) {
        scope[index] = { ...message, synthetic: "group" };
      }
    });
    for (const extension of extensions) {
      let block = blocks.at(-1);
      if (block === undefined || block.extendee !== extension.extendee) {
        block = { start: this.#next(), kind: "extend", extendee: extension.extendee, fields: [] };
        blocks.push(block);
      }
      block.fields.push(this.#field(extension, scope, []));
    }
    return blocks;
  }

  #enum(descriptor: EnumDescriptorProto): Enum {
    return {
      kind: "enum",
      start: this.#next(),
      documentation: null,
      name: descriptor.name,
      visibility: visibility(descriptor.visibility),
      options: this.#options("EnumOptions", descriptor.options),
      values: descriptor.value.map(({ name, number, options }) => ({
        kind: "enum_value",
        start: this.#next(),
        documentation: null,
        name,
        number,
        options: this.#options("EnumValueOptions", options),
      })),
      // Unlike those of messages, reserved ranges of enums have inclusive ends.
      reserved: this.#reserved(
        descriptor.reservedRange.map(({ start: from, end: to }) => ({ from, to })),
        descriptor.reservedName,
      ),
    };
  }

  #service(descriptor: ServiceDescriptorProto): Service {
    return {
      kind: "service",
      start: this.#next(),
      documentation: null,
      name: descriptor.name,
      options: this.#options("ServiceOptions", descriptor.options),
      methods: descriptor.method.map((method) => ({
        kind: "method",
        start: this.#next(),
        documentation: null,
        name: method.name,
        input: { start: this.#next(), name: method.inputType, stream: method.clientStreaming },
        output: { start: this.#next(), name: method.outputType, stream: method.serverStreaming },
        hasBlock: method.options !== undefined,
        options: this.#options("MethodOptions", method.options),
      })),
    };
  }

  #reserved(ranges: readonly { from: number; to: number }[], names: readonly string[]): Reserved[] {
    const reserved: Reserved[] = [];
    if (ranges.length > 0) {
      const placed = ranges.map((range) => ({ start: this.#next(), ...range }));
      reserved.push({ start: this.#next(), ranges: placed, names: [] });
    }
    if (names.length > 0) reserved.push({ start: this.#next(), ranges: [], names });
    return reserved;
  }

  #options(kind: OptionKind, message: object | undefined, hidden: readonly string[] = []): Option[] {
    if (message === undefined) return [];
    // The caller passes the schema of the message's kind.
    const bytes = toBinary(OPTION_SCHEMAS[kind], message as never);
    if (bytes.length === 0) return [];
    return this.settings
      .readOptions(kind, bytes)
      .filter(({ name }) => !hidden.includes(name[0]!.name))
      .map((option) => ({ ...option, start: this.#next() }));
  }

  #plain(name: string, value: OptionValue): Option {
    return { start: this.#next(), name: [{ name, isExtension: false }], value };
  }

  #next(): number {
    this.#ordinal += 1;
    if (this.#ordinal > MAX_ELEMENTS) {
      const message = `The schema has more than ${MAX_ELEMENTS} elements.`;
      throw new ProtoTextError("too_many_elements", message, 0, "too_complex");
    }
    return this.#ordinal;
  }
}

function refuse(message: string): never {
  throw new ProtoTextError("invalid_descriptor", message, 0);
}

/** Whether a field with presence was set, even to its zero value. */
function isSet(message: FieldDescriptorProto, name: "oneofIndex" | "jsonName" | "defaultValue"): boolean {
  return Object.hasOwn(message, name);
}

function groupNames(fields: readonly FieldDescriptorProto[], edition: Edition): Set<string> {
  if (edition !== "proto2") return new Set();
  return new Set(
    fields
      .filter(({ type }) => type === FieldDescriptorProto_Type.GROUP)
      .map(({ typeName }) => typeName.slice(typeName.lastIndexOf(".") + 1)),
  );
}

function isSyntheticOneof(descriptor: DescriptorProto, index: number): boolean {
  return descriptor.field.some(
    (field) => field.proto3Optional && isSet(field, "oneofIndex") && field.oneofIndex === index,
  );
}

function fieldLabel(field: FieldDescriptorProto, edition: Edition, inOneof: boolean): Label | null {
  switch (field.label) {
    case FieldDescriptorProto_Label.REPEATED:
      return "repeated";
    case FieldDescriptorProto_Label.REQUIRED:
      // In editions `required` is a feature, which is among the options.
      return edition === "proto2" ? "required" : null;
    default:
      if (inOneof) return null;
      return edition === "proto2" || field.proto3Optional ? "optional" : null;
  }
}

function valueType(field: FieldDescriptorProto): ValueType {
  const name = FieldDescriptorProto_Type[field.type]?.toLowerCase();
  const scalar = SCALAR_TYPES.find((candidate): candidate is ScalarType => candidate === name);
  if (scalar !== undefined && field.typeName === "") return { kind: "scalar", name: scalar };
  if (field.typeName === "") return refuse(`Field "${field.name}" of a descriptor has no type.`);
  return { kind: "named", name: field.typeName };
}

function defaultValue(field: FieldDescriptorProto): OptionValue {
  const text = field.defaultValue;
  switch (field.type) {
    case FieldDescriptorProto_Type.STRING:
      return { kind: "string", value: text };
    case FieldDescriptorProto_Type.BYTES:
      return { kind: "string", ...decodeString(`"${text}"`, 0) };
    case FieldDescriptorProto_Type.DOUBLE:
    case FieldDescriptorProto_Type.FLOAT:
      if (/^-?(?:inf|nan)$/.test(text)) return { kind: "identifier", name: text };
      return { kind: "float", value: Number(text), text };
    case FieldDescriptorProto_Type.BOOL:
    case FieldDescriptorProto_Type.ENUM:
    case FieldDescriptorProto_Type.MESSAGE:
      return { kind: "identifier", name: text };
    default:
      if (!/^-?\d{1,20}$/.test(text)) return refuse(`Field "${field.name}" of a descriptor has a malformed default.`);
      return { kind: "integer", value: BigInt(text), text };
  }
}

function visibility(value: SymbolVisibility): Visibility {
  if (value === SymbolVisibility.VISIBILITY_EXPORT) return "export";
  return value === SymbolVisibility.VISIBILITY_LOCAL ? "local" : null;
}
