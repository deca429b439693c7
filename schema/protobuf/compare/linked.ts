/**
 * A model for comparison: every field with its wire kind, cardinality, resolved type and features. Messages are linked
 * on first use, so a comparison pays only for what it examines.
 */
import { pointerToken } from "../../json-text.ts";
import {
  type Definition,
  type Enum,
  type Field,
  fileScope,
  findType,
  isEnumDefinition,
  isMessageDefinition,
  joinName,
  type Message,
  type Oneof,
  type OptionValue,
  type ProtobufModel,
  type ProtoFile,
  resolveType,
  type ScalarType,
  type Scope,
  type TypeDefinition,
} from "../model.ts";
import { defaultJsonName } from "../names.ts";
import { booleanOption, plainOption } from "../options/plain.ts";
import { editionFeatures, type LinkedFeatures, overrideFeatures, textOption } from "./features.ts";

/** The encoding of a value: `group` includes delimited messages, `unresolved` is an unknown name. */
export type WireKind = ScalarType | "enum" | "message" | "group" | "unresolved";
export type Cardinality = "explicit" | "implicit" | "required" | "repeated" | "map";

export type LinkedField = {
  readonly element: Field;
  readonly number: number;
  readonly name: string;
  readonly jsonName: string;
  readonly kind: WireKind;
  /** Full name of a message or enum; the name as written if it is unresolved; null for scalars. */
  readonly typeName: string | null;
  readonly type: TypeDefinition | null;
  readonly cardinality: Cardinality;
  /** Also null for the synthetic oneof of proto3's `optional`. */
  readonly oneof: Oneof | null;
  readonly features: LinkedFeatures;
  readonly packed: boolean;
  /** The full name of an extension; null for a field of the message itself. */
  readonly extensionName: string | null;
  readonly pointer: string;
};

export type LinkedMessage = {
  readonly definition: Definition<Message>;
  readonly fullName: string;
  readonly pointer: string;
  readonly features: LinkedFeatures;
  readonly isMapEntry: boolean;
  /** By number; a stored schema may repeat one, in which case the first counts. */
  readonly fields: ReadonlyMap<number, LinkedField>;
  readonly fieldsByName: ReadonlyMap<string, LinkedField>;
  readonly required: readonly LinkedField[];
};

export type LinkedEnum = {
  readonly definition: Definition<Enum>;
  readonly fullName: string;
  readonly pointer: string;
  readonly features: LinkedFeatures;
  /** All names of a number, in declaration order. */
  readonly names: ReadonlyMap<number, readonly string[]>;
  readonly numbers: ReadonlyMap<string, number>;
};

/** The fields that `extend` blocks add to one message. */
export type ExtensionSet = { readonly extendee: string; readonly fields: ReadonlyMap<number, LinkedField> };

/** The time to link one message, and to compare one of its fields with the reader's. */
const MESSAGE_MICROS = 5;
const FIELD_MICROS = 3;

/** What comparing a message takes apart from its steps, which are cheaper. */
export function messageMicros({ fields }: Message): number {
  return MESSAGE_MICROS + fields.length * FIELD_MICROS;
}

export class LinkedModel {
  readonly #messages = new Map<Message, LinkedMessage>();
  readonly #enums = new Map<Enum, LinkedEnum>();
  readonly #files = new Map<ProtoFile, LinkedFeatures>();
  readonly #fields = new Map<LinkedMessage, ReadonlyMap<number, LinkedField>>();
  readonly #positions = new Map<readonly Message[], Map<Message, number>>();
  readonly #mapFieldsOf = new Map<Message, ReadonlyMap<Message, Field>>();
  #extensions: Map<string, ExtensionSet> | undefined;
  #fileMessages: readonly Definition<Message>[] | undefined;

  readonly model: ProtobufModel;

  constructor(model: ProtobufModel) {
    this.model = model;
  }

  get file(): ProtoFile {
    return this.model.file;
  }

  /** Messages of the schema itself, including nested ones, map entries and groups, outermost first. */
  fileMessages(): readonly Definition<Message>[] {
    if (this.#fileMessages !== undefined) return this.#fileMessages;
    const found: Definition<Message>[] = [];
    const queue = this.file.messages.map((message) => joinName(this.file.package, message.name));
    for (let at = 0; at < queue.length; at += 1) {
      const definition = this.model.definitions.get(queue[at]!);
      if (definition === undefined || !isMessageDefinition(definition) || definition.file !== this.file) continue;
      found.push(definition);
      for (const nested of definition.element.messages) queue.push(joinName(definition.fullName, nested.name));
    }
    this.#fileMessages = found;
    return found;
  }

  /** Enums of the schema itself, including nested ones. */
  fileEnums(): Definition<Enum>[] {
    const scopes = [
      { fullName: this.file.package, enums: this.file.enums },
      ...this.fileMessages().map(({ fullName, element }) => ({ fullName, enums: element.enums })),
    ];
    return scopes.flatMap(({ fullName, enums }) =>
      enums.flatMap(({ name }) => {
        const definition = this.model.definitions.get(joinName(fullName, name));
        return definition !== undefined && isEnumDefinition(definition) && definition.file === this.file
          ? [definition]
          : [];
      }),
    );
  }

  message(definition: Definition<Message>): LinkedMessage {
    const known = this.#messages.get(definition.element);
    if (known !== undefined) return known;
    const features = this.#messageFeatures(definition);
    const fields = new Map<number, LinkedField>();
    const fieldsByName = new Map<string, LinkedField>();
    const pointer = this.pointer(definition);
    const isMapEntry = definition.element.synthetic === "map_entry";
    const inherited = isMapEntry ? this.#mapFieldFeatures(definition, features) : features;
    for (const field of definition.element.fields) {
      const linked = this.#field(field, definition, inherited, `${pointer}/${field.number}`, isMapEntry, null);
      if (!fields.has(field.number)) fields.set(field.number, linked);
      if (!fieldsByName.has(field.name)) fieldsByName.set(field.name, linked);
    }
    const required = [...fields.values()].filter(({ cardinality }) => cardinality === "required");
    const { fullName } = definition;
    const linked = { definition, fullName, pointer, features, isMapEntry, fields, fieldsByName, required };
    this.#messages.set(definition.element, linked);
    return linked;
  }

  enum(definition: Definition<Enum>): LinkedEnum {
    const known = this.#enums.get(definition.element);
    if (known !== undefined) return known;
    const names = new Map<number, string[]>();
    const numbers = new Map<string, number>();
    for (const value of definition.element.values) {
      const listed = names.get(value.number);
      if (listed === undefined) names.set(value.number, [value.name]);
      else listed.push(value.name);
      if (!numbers.has(value.name)) numbers.set(value.name, value.number);
    }
    const linked = {
      definition,
      fullName: definition.fullName,
      pointer: this.pointer(definition),
      features: overrideFeatures(this.#scopeFeatures(definition), definition.element.options),
      names,
      numbers,
    };
    this.#enums.set(definition.element, linked);
    return linked;
  }

  /** Extensions declared by the schema itself, by the full name of the extended message. */
  extensions(): ReadonlyMap<string, ExtensionSet> {
    if (this.#extensions !== undefined) return this.#extensions;
    const sets = new Map<string, { extendee: string; fields: Map<number, LinkedField> }>();
    const scopes: { scope: Scope; extendPointer: string; features: LinkedFeatures; extends: ProtoFile["extends"] }[] = [
      {
        scope: fileScope(this.file),
        extendPointer: "#",
        features: this.fileFeatures(this.file),
        extends: this.file.extends,
      },
      ...this.fileMessages().map((definition) => ({
        scope: definition,
        extendPointer: this.pointer(definition),
        features: this.#messageFeatures(definition),
        extends: definition.element.extends,
      })),
    ];
    for (const { scope, extendPointer, features, extends: blocks } of scopes) {
      for (const block of blocks) {
        const extendee = this.typeNameIn(scope, block.extendee);
        const set = sets.get(extendee) ?? { extendee, fields: new Map<number, LinkedField>() };
        sets.set(extendee, set);
        for (const field of block.fields) {
          if (set.fields.has(field.number)) continue;
          const pointer = `${extendPointer}/${pointerToken(field.name)}`;
          const fullName = joinName(scope.fullName, field.name);
          set.fields.set(field.number, this.#field(field, scope, features, pointer, false, fullName));
        }
      }
    }
    this.#extensions = sets;
    return sets;
  }

  /** The fields of a message, including extensions that the schema declares. */
  fields(message: LinkedMessage): ReadonlyMap<number, LinkedField> {
    const extensions = this.extensions().get(message.fullName);
    if (extensions === undefined) return message.fields;
    const known = this.#fields.get(message) ?? new Map([...extensions.fields, ...message.fields]);
    this.#fields.set(message, known);
    return known;
  }

  /** Positions in the list of declared messages, excluding map entries and groups. */
  positions(siblings: readonly Message[]): ReadonlyMap<Message, number> {
    const known = this.#positions.get(siblings);
    if (known !== undefined) return known;
    const positions = new Map<Message, number>();
    for (const message of siblings) if (message.synthetic === null) positions.set(message, positions.size);
    this.#positions.set(siblings, positions);
    return positions;
  }

  /** The full name that a type name resolves to in a scope, or the name as written if it does not resolve. */
  typeNameIn(scope: Scope, name: string): string {
    return resolveType(this.model, scope, name)?.fullName ?? name.replace(/^\./, "");
  }

  fileFeatures(file: ProtoFile): LinkedFeatures {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    const set = overrideFeatures(editionFeatures(file.edition), file.options);
    const isChecked = booleanOption(file.options, "java_string_check_utf8") === true;
    const features = isChecked ? { ...set, java_utf8_validation: "VERIFY" } : set;
    this.#files.set(file, features);
    return features;
  }

  /** `#/Outer/Inner` in the schema itself; types of other files are identified by their full name. */
  pointer(definition: { file: ProtoFile; fullName: string }): string {
    if (definition.file !== this.file) return `#/${pointerToken(definition.fullName)}`;
    return `#/${localName(definition).split(".").map(pointerToken).join("/")}`;
  }

  #scopeFeatures(definition: Definition): LinkedFeatures {
    const { parent } = definition;
    return parent !== null && isMessageDefinition(parent)
      ? this.#messageFeatures(parent)
      : this.fileFeatures(definition.file);
  }

  #messageFeatures(definition: Definition<Message>): LinkedFeatures {
    const known = this.#messages.get(definition.element);
    return known?.features ?? overrideFeatures(this.#scopeFeatures(definition), definition.element.options);
  }

  /** Key and value of a map inherit the map field's features. */
  #mapFieldFeatures(entry: Definition<Message>, fallback: LinkedFeatures): LinkedFeatures {
    const { parent } = entry;
    if (parent === null || !isMessageDefinition(parent)) return fallback;
    const field = this.#mapFields(parent.element).get(entry.element);
    return field === undefined ? fallback : overrideFeatures(this.#messageFeatures(parent), field.options);
  }

  /** The map fields of a message by their entries, because searching all fields for each would be quadratic. */
  #mapFields(message: Message): ReadonlyMap<Message, Field> {
    const known = this.#mapFieldsOf.get(message);
    if (known !== undefined) return known;
    const fields = new Map<Message, Field>();
    for (const field of message.fields) if (field.type.kind === "map") fields.set(field.type.entry, field);
    this.#mapFieldsOf.set(message, fields);
    return fields;
  }

  #field(
    field: Field,
    scope: Scope,
    inherited: LinkedFeatures,
    pointer: string,
    inMapEntry: boolean,
    extensionName: string | null,
  ): LinkedField {
    // The label of a map entry's fields comes from the parser, not from the author.
    const label = inMapEntry ? null : field.label;
    const features = this.#fieldFeatures(field, label, inherited);
    const resolved = this.#type(field, scope);
    const isDelimited =
      resolved.kind === "message" &&
      features.message_encoding === "DELIMITED" &&
      field.type.kind !== "map" &&
      !inMapEntry;
    const kind = isDelimited ? "group" : resolved.kind;
    const cardinality = cardinalityOf(field, kind, features, extensionName !== null);
    return {
      element: field,
      number: field.number,
      name: field.name,
      jsonName: extensionName === null ? jsonNameOf(field) : `[${extensionName}]`,
      kind,
      typeName: resolved.typeName,
      type: resolved.type,
      cardinality,
      oneof: field.oneof,
      features,
      packed: cardinality === "repeated" && isPackable(kind) && features.repeated_field_encoding === "PACKED",
      extensionName,
      pointer,
    };
  }

  /** Most fields set no features and share what they inherit. */
  #fieldFeatures(field: Field, label: Field["label"], inherited: LinkedFeatures): LinkedFeatures {
    const set: { -readonly [F in keyof LinkedFeatures]?: string } = {};
    if (label === "required") set.field_presence = "LEGACY_REQUIRED";
    else if (label === "optional") set.field_presence = "EXPLICIT";
    if (field.type.kind === "group") set.message_encoding = "DELIMITED";
    if (field.options.length > 0) {
      const packed = booleanOption(field.options, "packed");
      if (packed !== undefined) set.repeated_field_encoding = packed ? "PACKED" : "EXPANDED";
      const ctype = textOption(field.options, "ctype");
      if (ctype !== undefined) set.cpp_string_type = ctype;
    }
    const features = overrideFeatures(inherited, field.options);
    return Object.entries(set).every(([name, value]) => features[name as keyof LinkedFeatures] === value)
      ? features
      : { ...features, ...set };
  }

  #type(field: Field, scope: Scope): Pick<LinkedField, "kind" | "typeName" | "type"> {
    const { type } = field;
    switch (type.kind) {
      case "scalar":
        return { kind: type.name, typeName: null, type: null };
      case "named": {
        const found = resolveType(this.model, scope, type.name);
        if (found === undefined) return { kind: "unresolved", typeName: type.name.replace(/^\./, ""), type: null };
        return { kind: found.element.kind, typeName: found.fullName, type: found };
      }
      default: {
        const message = type.kind === "map" ? type.entry : type.message;
        const fullName = joinName(scope.fullName, message.name);
        const found = findType(this.model, fullName);
        return { kind: type.kind === "group" ? "group" : "message", typeName: fullName, type: found ?? null };
      }
    }
  }
}

/** A full name without its file's package. */
export function localName({ file, fullName }: { file: ProtoFile; fullName: string }): string {
  return file.package === "" ? fullName : fullName.slice(file.package.length + 1);
}

function cardinalityOf(field: Field, kind: WireKind, features: LinkedFeatures, isExtension: boolean): Cardinality {
  if (field.type.kind === "map") return "map";
  if (field.label === "repeated") return "repeated";
  if (field.oneof !== null) return "explicit";
  if (features.field_presence === "LEGACY_REQUIRED") return "required";
  if (features.field_presence === "EXPLICIT" || isExtension) return "explicit";
  return kind === "message" || kind === "group" ? "explicit" : "implicit";
}

/** Whether repeated values of a kind may be packed in one length-delimited record. */
export function isPackable(kind: WireKind): boolean {
  return kind !== "string" && kind !== "bytes" && kind !== "message" && kind !== "group" && kind !== "unresolved";
}

function jsonNameOf(field: Field): string {
  return textOption(field.options, "json_name") ?? defaultJsonName(field.name);
}

/** The explicit `default` of a field. */
export function writtenDefault(field: LinkedField): OptionValue | undefined {
  return plainOption(field.element.options, "default")?.value;
}

/**
 * Whether both sides are the same registered version of the same file, or the same built-in file, so nothing can have
 * changed.
 */
export function isSameSource(writer: TypeDefinition, reader: TypeDefinition): boolean {
  if (writer.fullName !== reader.fullName) return false;
  const [a, b] = [writer.file, reader.file];
  if (a.isBuiltin && b.isBuiltin) return a.path === b.path;
  if (a.reference === null || b.reference === null) return false;
  return a.reference.subject === b.reference.subject && a.reference.version === b.reference.version;
}
