/**
 * A .proto text as elements in declaration order, and the linked view of a file and all its imports. Elements keep the
 * written form (type names stay relative, options unresolved); `resolveType` resolves them.
 */
import type { SchemaReference } from "../format.ts";

export const MAX_FIELD_NUMBER = 536_870_911; // 2^29 − 1
/** Messages in message-set wire format may use extension numbers up to here. */
export const MAX_MESSAGE_SET_NUMBER = 2_147_483_646; // 2^31 − 2
export const MAX_ENUM_NUMBER = 2_147_483_647;
export const MIN_ENUM_NUMBER = -2_147_483_648;

const EDITIONS = ["proto2", "proto3", "2023", "2024"] as const;
export type Edition = (typeof EDITIONS)[number];

export const SCALAR_TYPES = [
  "double",
  "float",
  "int32",
  "int64",
  "uint32",
  "uint64",
  "sint32",
  "sint64",
  "fixed32",
  "fixed64",
  "sfixed32",
  "sfixed64",
  "bool",
  "string",
  "bytes",
] as const;
export type ScalarType = (typeof SCALAR_TYPES)[number];

const SCALARS: ReadonlySet<string> = new Set(SCALAR_TYPES);

export function isScalarType(name: string): name is ScalarType {
  return SCALARS.has(name);
}

/** `start` is the offset of the element in its file's text; elements made from a descriptor are numbered instead. */
type Element = { readonly start: number };
/** Leading comments without their markers, or null. */
type Documented = { readonly documentation: string | null };

export type ProtoFile = {
  /** The path by which others import it; empty for the schema itself. */
  readonly path: string;
  readonly text: string;
  /** `proto2` if the text has neither `syntax` nor `edition`. */
  readonly edition: Edition;
  /** Whether `syntax` or `edition` was written. */
  readonly hasEdition: boolean;
  /** Empty for the unnamed package. */
  readonly package: string;
  readonly imports: readonly Import[];
  readonly options: readonly Option[];
  readonly messages: readonly Message[];
  readonly enums: readonly Enum[];
  readonly services: readonly Service[];
  readonly extends: readonly Extend[];
  /** The origin of the file: a reference, or null for the schema itself and for built-in files. */
  readonly reference: SchemaReference | null;
  readonly isBuiltin: boolean;
};

export type ImportKind = "default" | "public" | "weak" | "option";
export type Import = Element & { readonly path: string; readonly kind: ImportKind };

export type Message = Element &
  Documented & {
    readonly kind: "message";
    readonly name: string;
    /** `group` and `map_entry` messages are declared by a field; they are in `messages`, as in protoc. */
    readonly synthetic: "group" | "map_entry" | null;
    readonly visibility: Visibility;
    readonly options: readonly Option[];
    /** All fields in declaration order, including members of oneofs and groups. */
    readonly fields: readonly Field[];
    readonly oneofs: readonly Oneof[];
    /** Nested messages in declaration order, including synthetic ones. */
    readonly messages: readonly Message[];
    readonly enums: readonly Enum[];
    readonly extends: readonly Extend[];
    readonly reserved: readonly Reserved[];
    readonly extensionRanges: readonly ExtensionRanges[];
  };

/** Edition 2024: the visibility of the type. */
export type Visibility = "export" | "local" | null;
export type Label = "optional" | "required" | "repeated";

export type Field = Element &
  Documented & {
    readonly kind: "field";
    readonly name: string;
    readonly number: number;
    readonly label: Label | null;
    readonly type: FieldType;
    /** The oneof this field is a member of, by identity. */
    readonly oneof: Oneof | null;
    /** As written, including `default` and `json_name`. */
    readonly options: readonly Option[];
  };

export type ValueType =
  | { readonly kind: "scalar"; readonly name: ScalarType }
  /** A message or an enum, as written: relative, or absolute with a leading dot. */
  | { readonly kind: "named"; readonly name: string };

export type FieldType =
  | ValueType
  /** `entry` is the synthetic message with the fields `key` and `value`. */
  | { readonly kind: "map"; readonly key: ScalarType; readonly value: ValueType; readonly entry: Message }
  | { readonly kind: "group"; readonly message: Message };

export type Oneof = Element &
  Documented & { readonly kind: "oneof"; readonly name: string; readonly options: readonly Option[] };

export type Enum = Element &
  Documented & {
    readonly kind: "enum";
    readonly name: string;
    readonly visibility: Visibility;
    readonly options: readonly Option[];
    readonly values: readonly EnumValue[];
    readonly reserved: readonly Reserved[];
  };

export type EnumValue = Element &
  Documented & {
    readonly kind: "enum_value";
    readonly name: string;
    readonly number: number;
    readonly options: readonly Option[];
  };

/** Both ends inclusive; `max` is replaced by the largest number allowed there. */
export type NumberRange = Element & {
  readonly from: number;
  readonly to: number;
  /** Set if one number is written as a range, `5 to 5`. */
  readonly isSpelledOut?: true;
};
/** One `reserved` statement: names or ranges. */
export type Reserved = Element & { readonly ranges: readonly NumberRange[]; readonly names: readonly string[] };
export type ExtensionRanges = Element & {
  readonly ranges: readonly NumberRange[];
  readonly options: readonly Option[];
};

export type Extend = Element & {
  readonly kind: "extend";
  /** As written: relative, or absolute with a leading dot. */
  readonly extendee: string;
  readonly fields: readonly Field[];
};

export type Service = Element &
  Documented & {
    readonly kind: "service";
    readonly name: string;
    readonly options: readonly Option[];
    readonly methods: readonly Method[];
  };

export type Method = Element &
  Documented & {
    readonly kind: "method";
    readonly name: string;
    readonly input: MethodType;
    readonly output: MethodType;
    /** Whether it was written with braces: only a descriptor distinguishes an empty block from none. */
    readonly hasBlock: boolean;
    readonly options: readonly Option[];
  };
export type MethodType = Element & { readonly name: string; readonly stream: boolean };

export type Option = Element & { readonly name: readonly OptionNamePart[]; readonly value: OptionValue };
/** `(foo.bar)` is an extension, `baz` a plain part. */
export type OptionNamePart = { readonly name: string; readonly isExtension: boolean };

export type OptionValue =
  /** An identifier: an enum value, `true`, `false`, `inf`, `nan`, `-inf`, `-nan`. */
  | { readonly kind: "identifier"; readonly name: string }
  /** Numbers keep `text` as written, with their sign. */
  | { readonly kind: "integer"; readonly value: bigint; readonly text: string }
  | { readonly kind: "float"; readonly value: number; readonly text: string }
  /** `bytes` is present only if they are not UTF-8; `value` then shows them approximately. */
  | { readonly kind: "string"; readonly value: string; readonly bytes?: Uint8Array }
  /** A message in the text format. */
  | { readonly kind: "message"; readonly fields: readonly OptionField[] }
  | { readonly kind: "list"; readonly items: readonly OptionValue[] };

export type OptionField = Element & { readonly name: OptionFieldName; readonly value: OptionValue };
export type OptionFieldName =
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "extension"; readonly name: string }
  /** `[type.googleapis.com/foo.Bar]`: the content of an Any. */
  | { readonly kind: "any"; readonly domain: string; readonly name: string };

/** The scope in which names are looked up. A definition is the scope of its members. */
export type Scope = {
  readonly file: ProtoFile;
  /** Without a leading dot; the package for a file's own scope. */
  readonly fullName: string;
};

export type DefinedElement = Message | Enum | EnumValue | Field | Oneof | Service | Method;
export type Definition<E extends DefinedElement = DefinedElement> = Scope & {
  readonly element: E;
  /** The enclosing message, enum or service; null at file level. */
  readonly parent: Definition | null;
  /** Only for fields declared in `extend`. */
  readonly extend: Extend | null;
};
export type TypeDefinition = Definition<Message> | Definition<Enum>;

/** The files visible to a file: itself, its imports, and their public imports. */
export type Visible = {
  readonly files: ReadonlySet<ProtoFile>;
  /** Files of `import option`: visible only to names of options. */
  readonly optionFiles: ReadonlySet<ProtoFile>;
};

/** A schema with everything it references. */
export type ProtobufModel = {
  readonly file: ProtoFile;
  /** The schema's own file (under the empty path) and every file reached, by import path. */
  readonly files: ReadonlyMap<string, ProtoFile>;
  /** All named definitions by full name without a leading dot. Names are unique over all files. */
  readonly definitions: ReadonlyMap<string, Definition>;
  /** The files in every package, and in each package's prefixes. */
  readonly packages: ReadonlyMap<string, ReadonlySet<ProtoFile>>;
  readonly visible: ReadonlyMap<ProtoFile, Visible>;
};

/** The file-level scope. */
export function fileScope(file: ProtoFile): Scope {
  return { file, fullName: file.package };
}

export function joinName(scope: string, name: string): string {
  return scope === "" ? name : `${scope}.${name}`;
}

/** The scope around a name; empty at file level. */
export function parentName(name: string): string {
  return name.slice(0, Math.max(name.lastIndexOf("."), 0));
}

/** The message or enum with that full name (without a leading dot), in any file. */
export function findType(model: ProtobufModel, fullName: string): TypeDefinition | undefined {
  const definition = model.definitions.get(fullName);
  return definition !== undefined && isTypeDefinition(definition) ? definition : undefined;
}

/**
 * The message or enum that a name resolves to in a scope, by protobuf's rules: innermost scope first, visible files
 * only.
 */
export function resolveType(model: ProtobufModel, scope: Scope, name: string): TypeDefinition | undefined {
  const found = resolveName(model, scope, name, isTypeDefinition);
  return found !== undefined && isTypeDefinition(found) ? found : undefined;
}

/**
 * Resolves a name in a scope. The first part decides: an inner `foo` hides an outer one, so `foo.Bar` is not looked up
 * further out. Definitions that `accepts` rejects do not hide a simple name.
 */
export function resolveName(
  model: ProtobufModel,
  scope: Scope,
  name: string,
  accepts: (definition: Definition) => boolean,
  isOption = false,
): Definition | undefined {
  if (name.startsWith(".")) return findVisible(model, scope.file, name.slice(1), isOption);
  const dot = name.indexOf(".");
  const first = dot === -1 ? name : name.slice(0, dot);
  for (let prefix = scope.fullName; ; prefix = parentName(prefix)) {
    const found = findVisible(model, scope.file, joinName(prefix, first), isOption);
    if (dot === -1) {
      if (found !== undefined && accepts(found)) return found;
    } else if (
      found === undefined ? isVisiblePackage(model, scope.file, joinName(prefix, first), isOption) : isScope(found)
    ) {
      return findVisible(model, scope.file, joinName(prefix, name), isOption);
    }
    if (prefix === "") return undefined;
  }
}

/** All extensions by the full name of the extended message, then by number. */
export function extensionsByNumber(model: ProtobufModel): Map<string, Map<number, Definition<Field>[]>> {
  const byExtendee = new Map<string, Map<number, Definition<Field>[]>>();
  for (const definition of model.definitions.values()) {
    if (!isExtension(definition)) continue;
    const scope = definition.parent ?? fileScope(definition.file);
    const extendee = resolveType(model, scope, definition.extend!.extendee);
    if (extendee === undefined) continue;
    const byNumber = byExtendee.get(extendee.fullName) ?? new Map<number, Definition<Field>[]>();
    const same = byNumber.get(definition.element.number);
    if (same === undefined) byNumber.set(definition.element.number, [definition]);
    else same.push(definition);
    byExtendee.set(extendee.fullName, byNumber);
  }
  return byExtendee;
}

export function isExtension(definition: Definition): definition is Definition<Field> {
  return definition.element.kind === "field" && definition.extend !== null;
}

function isTypeDefinition(definition: Definition): definition is TypeDefinition {
  return definition.element.kind === "message" || definition.element.kind === "enum";
}

export function isMessageDefinition(definition: Definition): definition is Definition<Message> {
  return definition.element.kind === "message";
}

export function isEnumDefinition(definition: Definition): definition is Definition<Enum> {
  return definition.element.kind === "enum";
}

function isScope({ element }: Definition): boolean {
  return element.kind === "message" || element.kind === "enum" || element.kind === "service";
}

function findVisible(
  model: ProtobufModel,
  file: ProtoFile,
  fullName: string,
  isOption: boolean,
): Definition | undefined {
  const definition = model.definitions.get(fullName);
  if (definition === undefined || definition.file === file) return definition;
  const visible = model.visible.get(file);
  if (visible?.files.has(definition.file)) return definition;
  return isOption && visible?.optionFiles.has(definition.file) ? definition : undefined;
}

function isVisiblePackage(model: ProtobufModel, file: ProtoFile, name: string, isOption: boolean): boolean {
  const files = model.packages.get(name);
  if (files === undefined) return false;
  const visible = model.visible.get(file);
  for (const candidate of files) {
    if (candidate === file || visible?.files.has(candidate)) return true;
    if (isOption && visible?.optionFiles.has(candidate)) return true;
  }
  return false;
}
