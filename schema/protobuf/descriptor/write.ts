/**
 * Converts a linked schema to the FileDescriptorProto that protoc would produce from its text, without source
 * positions.
 */
import { create, fromBinary, type MessageInitShape, toBinary, type Message as WireMessage } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import {
  Edition as DescriptorEdition,
  type DescriptorProto,
  DescriptorProtoSchema,
  type EnumDescriptorProto,
  EnumDescriptorProtoSchema,
  EnumOptionsSchema,
  EnumValueOptionsSchema,
  ExtensionRangeOptionsSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileOptionsSchema,
  MessageOptionsSchema,
  MethodOptionsSchema,
  OneofOptionsSchema,
  type ServiceDescriptorProto,
  ServiceDescriptorProtoSchema,
  ServiceOptionsSchema,
  SymbolVisibility,
} from "@bufbuild/protobuf/wkt";
import {
  type Enum,
  type Extend,
  type Field,
  fileScope,
  isEnumDefinition,
  joinName,
  type Message,
  type Option,
  type OptionValue,
  type ProtobufModel,
  type ProtoFile,
  resolveType,
  type ScalarType,
  type Scope,
  type Service,
  type Visibility,
} from "../model.ts";
import { defaultJsonName } from "../names.ts";
import { shortestSingle } from "../options/bytes.ts";
import { usesEditions } from "../options/editions.ts";
import { OptionInterpreter, type OptionKind } from "../options/interpreter.ts";
import { plainOption } from "../options/plain.ts";
import { floatValue } from "../options/values.ts";
import { encodeOptions } from "../options/wire.ts";
import { stringBytes } from "../parse/tokens.ts";

/** The descriptor's name for a schema without a path. */
const DEFAULT_FILE_NAME = "default";

/** The descriptor of one of the model's files, by default of the schema itself. */
export function toDescriptor(model: ProtobufModel, file: ProtoFile = model.file): FileDescriptorProto {
  return new DescriptorWriter(model, file).file();
}

export function descriptorBytes(descriptor: FileDescriptorProto): Uint8Array {
  return toBinary(FileDescriptorProtoSchema, descriptor);
}

class DescriptorWriter {
  readonly #interpreter: OptionInterpreter;

  readonly model: ProtobufModel;
  readonly source: ProtoFile;

  constructor(model: ProtobufModel, source: ProtoFile) {
    this.model = model;
    this.source = source;
    // Invalid parts of a stored schema are omitted, because the descriptor is for reading data.
    this.#interpreter = new OptionInterpreter(model, { problem: () => {}, uses: () => {} });
  }

  file(): FileDescriptorProto {
    const { source } = this;
    const scope = fileScope(source);
    const imports = source.imports.filter(({ kind }) => kind !== "option");
    const indexes = (wanted: string) => imports.flatMap(({ kind }, index) => (kind === wanted ? [index] : []));
    const edition = source.edition === "2023" ? DescriptorEdition.EDITION_2023 : DescriptorEdition.EDITION_2024;
    return create(FileDescriptorProtoSchema, {
      name: source.path === "" ? DEFAULT_FILE_NAME : source.path,
      ...given("package", source.package === "" ? undefined : source.package),
      dependency: imports.map(({ path }) => path),
      publicDependency: indexes("public"),
      weakDependency: indexes("weak"),
      optionDependency: source.imports.filter(({ kind }) => kind === "option").map(({ path }) => path),
      messageType: source.messages.map((message) => this.#message(scope, message)),
      enumType: source.enums.map((element) => this.#enum(scope, element)),
      service: source.services.map((service) => this.#service(scope, service)),
      extension: this.#extensions(scope, source.extends),
      ...given("options", this.#options("FileOptions", FileOptionsSchema, scope, source.options)),
      ...(source.edition === "proto2" ? {} : { syntax: usesEditions(source) ? "editions" : "proto3" }),
      ...(usesEditions(source) ? { edition } : {}),
    });
  }

  #message(around: Scope, message: Message): DescriptorProto {
    const scope: Scope = { file: around.file, fullName: joinName(around.fullName, message.name) };
    const optionals = this.source.edition === "proto3" ? message.fields.filter(isProto3Optional) : [];
    const oneofIndex = new Map<object, number>([
      ...message.oneofs.map((oneof, index): [object, number] => [oneof, index]),
      ...optionals.map((field, index): [object, number] => [field, message.oneofs.length + index]),
    ]);
    return create(DescriptorProtoSchema, {
      name: message.name,
      field: message.fields.map((field) => {
        const index = oneofIndex.get(field.oneof ?? field);
        return create(FieldDescriptorProtoSchema, { ...this.#field(scope, field), ...given("oneofIndex", index) });
      }),
      extension: this.#extensions(scope, message.extends),
      nestedType: message.messages.map((nested) => this.#message(scope, nested)),
      enumType: message.enums.map((nested) => this.#enum(scope, nested)),
      extensionRange: message.extensionRanges.flatMap(({ ranges, options }) =>
        ranges.map(({ from, to }) => ({
          start: from,
          end: to + 1,
          ...given("options", this.#options("ExtensionRangeOptions", ExtensionRangeOptionsSchema, around, options)),
        })),
      ),
      oneofDecl: [
        ...message.oneofs.map(({ name, options }) => ({
          name,
          ...given("options", this.#options("OneofOptions", OneofOptionsSchema, scope, options)),
        })),
        ...syntheticOneofs(message, optionals),
      ],
      reservedRange: message.reserved.flatMap(({ ranges }) =>
        ranges.map(({ from, to }) => ({ start: from, end: to + 1 })),
      ),
      reservedName: message.reserved.flatMap(({ names }) => names),
      ...given("visibility", visibility(message.visibility)),
      ...given(
        "options",
        message.synthetic === "map_entry"
          ? create(MessageOptionsSchema, { mapEntry: true })
          : this.#options("MessageOptions", MessageOptionsSchema, around, message.options),
      ),
    });
  }

  #extensions(scope: Scope, blocks: readonly Extend[]): FieldDescriptorProto[] {
    return blocks.flatMap(({ extendee, fields }) =>
      fields.map((field) =>
        create(FieldDescriptorProtoSchema, {
          ...this.#field(scope, field),
          extendee: absolute(resolveType(this.model, scope, extendee)?.fullName) ?? extendee,
        }),
      ),
    );
  }

  #field(scope: Scope, field: Field): MessageInitShape<typeof FieldDescriptorProtoSchema> {
    const type = this.#type(scope, field);
    const json = plainOption(field.options, "json_name")?.value;
    const written = field.options.filter(
      ({ name }) => name.length > 1 || name[0]!.isExtension || !["default", "json_name"].includes(name[0]!.name),
    );
    return {
      name: field.name,
      number: field.number,
      label: fieldLabel(field),
      ...type,
      ...given("defaultValue", defaultText(field)),
      jsonName: json?.kind === "string" ? json.value : defaultJsonName(field.name),
      ...(this.source.edition === "proto3" && isProto3Optional(field) ? { proto3Optional: true } : {}),
      ...given("options", this.#options("FieldOptions", FieldOptionsSchema, scope, written)),
    };
  }

  #type(scope: Scope, { type }: Field): { type?: FieldDescriptorProto_Type; typeName?: string } {
    switch (type.kind) {
      case "scalar":
        return { type: SCALAR_TYPES[type.name] };
      case "group":
        return {
          type: FieldDescriptorProto_Type.GROUP,
          typeName: `.${joinName(scope.fullName, type.message.name)}`,
        };
      case "map":
        return {
          type: FieldDescriptorProto_Type.MESSAGE,
          typeName: `.${joinName(scope.fullName, type.entry.name)}`,
        };
      case "named": {
        // The types of a map entry's fields are resolved in the enclosing message.
        const found = resolveType(this.model, scope, type.name);
        if (found === undefined) return { typeName: type.name };
        return {
          type: isEnumDefinition(found) ? FieldDescriptorProto_Type.ENUM : FieldDescriptorProto_Type.MESSAGE,
          typeName: `.${found.fullName}`,
        };
      }
    }
  }

  #enum(around: Scope, element: Enum): EnumDescriptorProto {
    return create(EnumDescriptorProtoSchema, {
      name: element.name,
      value: element.values.map(({ name, number, options }) => ({
        name,
        number,
        ...given("options", this.#options("EnumValueOptions", EnumValueOptionsSchema, around, options)),
      })),
      reservedRange: element.reserved.flatMap(({ ranges }) => ranges.map(({ from, to }) => ({ start: from, end: to }))),
      reservedName: element.reserved.flatMap(({ names }) => names),
      ...given("visibility", visibility(element.visibility)),
      ...given("options", this.#options("EnumOptions", EnumOptionsSchema, around, element.options)),
    });
  }

  #service(around: Scope, service: Service): ServiceDescriptorProto {
    const scope: Scope = { file: around.file, fullName: joinName(around.fullName, service.name) };
    const typeName = (name: string) => absolute(resolveType(this.model, scope, name)?.fullName) ?? name;
    return create(ServiceDescriptorProtoSchema, {
      name: service.name,
      method: service.methods.map(({ name, input, output, options, hasBlock }) => ({
        name,
        inputType: typeName(input.name),
        outputType: typeName(output.name),
        ...(input.stream ? { clientStreaming: true } : {}),
        ...(output.stream ? { serverStreaming: true } : {}),
        // A method written with a block has options, even if they are empty.
        ...given(
          "options",
          this.#options("MethodOptions", MethodOptionsSchema, scope, options) ??
            (hasBlock ? create(MethodOptionsSchema) : undefined),
        ),
      })),
      ...given("options", this.#options("ServiceOptions", ServiceOptionsSchema, around, service.options)),
    });
  }

  #options<Shape extends WireMessage>(
    kind: OptionKind,
    schema: GenMessage<Shape>,
    scope: Scope,
    options: readonly Option[],
  ): Shape | undefined {
    const message = this.#interpreter.interpret(kind, scope, options);
    return message === undefined ? undefined : fromBinary(schema, encodeOptions(message));
  }
}

/** Omits a property without a value, because a descriptor distinguishes unset from empty. */
function given<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

function absolute(fullName: string | undefined): string | undefined {
  return fullName === undefined ? undefined : `.${fullName}`;
}

function isProto3Optional({ label, oneof }: Field): boolean {
  return label === "optional" && oneof === null;
}

/** A proto3 optional is the only member of a oneof, whose name must be unused. */
function syntheticOneofs(message: Message, optionals: readonly Field[]): { name: string }[] {
  const names = new Set([...message.fields, ...message.oneofs].map(({ name }) => name));
  return optionals.map((field) => {
    let name = field.name.startsWith("_") ? field.name : `_${field.name}`;
    while (names.has(name)) name = `X${name}`;
    names.add(name);
    return { name };
  });
}

function fieldLabel({ label, type }: Field): FieldDescriptorProto_Label {
  if (label === "repeated" || type.kind === "map") return FieldDescriptorProto_Label.REPEATED;
  return label === "required" ? FieldDescriptorProto_Label.REQUIRED : FieldDescriptorProto_Label.OPTIONAL;
}

function visibility(value: Visibility): SymbolVisibility | undefined {
  if (value === null) return undefined;
  return value === "export" ? SymbolVisibility.VISIBILITY_EXPORT : SymbolVisibility.VISIBILITY_LOCAL;
}

function defaultText({ type, options }: Field): string | undefined {
  const value = plainOption(options, "default")?.value;
  if (value === undefined) return undefined;
  const name = type.kind === "scalar" ? type.name : undefined;
  if (name === "double" || name === "float") return floatText(value, name === "float");
  switch (value.kind) {
    case "identifier":
      return value.name;
    case "integer":
      return String(value.value);
    case "string":
      return name === "bytes" ? escapeBytes(stringBytes(value)) : value.value;
    default:
      return undefined;
  }
}

function floatText(value: OptionValue, isSingle: boolean): string | undefined {
  const number = floatValue(value, true);
  if (number === undefined) return undefined;
  if (Number.isNaN(number)) return "nan";
  const rounded = isSingle ? Math.fround(number) : number;
  if (!Number.isFinite(rounded)) return rounded > 0 ? "inf" : "-inf";
  return shortText(isSingle ? shortestSingle(rounded) : String(rounded), rounded);
}

/** The shortest digits; below 1e-4 and from 1e+06 on with an exponent of at least two digits. */
function shortText(text: string, value: number): string {
  if (Object.is(value, -0)) return "-0";
  const [, sign, whole, fraction = "", written = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(text)!;
  const digits = `${whole}${fraction}`.replace(/^0+(?=\d)/, "");
  const exponent = digits.length - 1 - fraction.length + Number(written);
  if (value === 0 || (exponent >= -4 && exponent < 6)) return text;
  const significant = digits.replace(/0+$/, "");
  const mantissa = significant.length === 1 ? significant : `${significant[0]}.${significant.slice(1)}`;
  return `${sign}${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** Bytes in C's escapes: printable characters unchanged, the rest in octal. */
function escapeBytes(bytes: Uint8Array): string {
  const short: Readonly<Record<number, string>> = { 9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 39: "\\'", 92: "\\\\" };
  return Array.from(bytes, (byte) => {
    if (short[byte] !== undefined) return short[byte];
    if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte);
    return `\\${byte.toString(8).padStart(3, "0")}`;
  }).join("");
}

const SCALAR_TYPES: Readonly<Record<ScalarType, FieldDescriptorProto_Type>> = {
  double: FieldDescriptorProto_Type.DOUBLE,
  float: FieldDescriptorProto_Type.FLOAT,
  int32: FieldDescriptorProto_Type.INT32,
  int64: FieldDescriptorProto_Type.INT64,
  uint32: FieldDescriptorProto_Type.UINT32,
  uint64: FieldDescriptorProto_Type.UINT64,
  sint32: FieldDescriptorProto_Type.SINT32,
  sint64: FieldDescriptorProto_Type.SINT64,
  fixed32: FieldDescriptorProto_Type.FIXED32,
  fixed64: FieldDescriptorProto_Type.FIXED64,
  sfixed32: FieldDescriptorProto_Type.SFIXED32,
  sfixed64: FieldDescriptorProto_Type.SFIXED64,
  bool: FieldDescriptorProto_Type.BOOL,
  string: FieldDescriptorProto_Type.STRING,
  bytes: FieldDescriptorProto_Type.BYTES,
};
