/**
 * Interprets written options: each name is resolved to a field of the options message or to an extension of it, and
 * each value is checked against that field's type. The result can be encoded in the form that options have in a
 * descriptor.
 */

import {
  type Definition,
  type Enum,
  type Field,
  fileScope,
  isEnumDefinition,
  isExtension,
  isMessageDefinition,
  joinName,
  type Message,
  type Option,
  type OptionField,
  type OptionFieldName,
  type OptionNamePart,
  type OptionValue,
  type ProtobufModel,
  type ProtoFile,
  resolveName,
  resolveType,
  type Scope,
  type TypeDefinition,
} from "../model.ts";
import { descriptorModel } from "../parse/builtin-imports.ts";
import { shown } from "../parse/tokens.ts";
import { optionNameText } from "../text/canonical.ts";
import { integerRange, OptionRefusal, type Scalar, scalarValue } from "./values.ts";
import { encodeOptions, isOptionMessage, isRepeated, type OptionFieldValue, type OptionMessage } from "./wire.ts";

type OptionProblem = { rule: string; message: string; file: ProtoFile; offset: number };

/**
 * The element that options belong to: the suffix of `google.protobuf.…Options` and the name of the target type that
 * features allow.
 */
export type OptionKind =
  | "FileOptions"
  | "MessageOptions"
  | "FieldOptions"
  | "OneofOptions"
  | "EnumOptions"
  | "EnumValueOptions"
  | "ExtensionRangeOptions"
  | "ServiceOptions"
  | "MethodOptions";

const TARGETS: Readonly<Record<OptionKind, string>> = {
  FileOptions: "TARGET_TYPE_FILE",
  MessageOptions: "TARGET_TYPE_MESSAGE",
  FieldOptions: "TARGET_TYPE_FIELD",
  OneofOptions: "TARGET_TYPE_ONEOF",
  EnumOptions: "TARGET_TYPE_ENUM",
  EnumValueOptions: "TARGET_TYPE_ENUM_ENTRY",
  ExtensionRangeOptions: "TARGET_TYPE_EXTENSION_RANGE",
  ServiceOptions: "TARGET_TYPE_SERVICE",
  MethodOptions: "TARGET_TYPE_METHOD",
};

type InterpreterHooks = {
  problem(problem: OptionProblem): void;
  /** Called for each file a custom option needs. */
  uses(file: ProtoFile): void;
};

export class OptionInterpreter {
  readonly #required = new Map<Message, Field[]>();
  readonly #enumNumbers = new Map<Enum, ReadonlyMap<string, number>>();
  #target = "";
  #scope: Scope;

  readonly model: ProtobufModel;
  readonly hooks: InterpreterHooks;

  constructor(model: ProtobufModel, hooks: InterpreterHooks) {
    this.model = model;
    this.hooks = hooks;
    this.#scope = fileScope(model.file);
  }

  /** The interpreted options in a scope; unresolvable ones are reported and omitted. */
  interpret(kind: OptionKind, scope: Scope, options: readonly Option[]): OptionMessage | undefined {
    const definition = this.#message(`google.protobuf.${kind}`);
    if (definition === undefined || options.length === 0) return undefined;
    this.#target = TARGETS[kind];
    this.#scope = scope;
    const message: OptionMessage = { definition, entries: new Map(), oneofs: new Map() };
    for (const option of options) {
      this.#guard(option, () => this.#setOption(message, option.name, option.value));
    }
    this.#requireFields(message, options);
    return message;
  }

  #guard(option: Option, run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof OptionRefusal)) throw error;
      this.#report(option, error);
    }
  }

  #report(option: Option, { rule, message }: OptionRefusal): void {
    const name = shown(optionNameText(option.name));
    this.hooks.problem({
      rule,
      message: `Option "${name}": ${message}`,
      file: this.#scope.file,
      offset: option.start,
    });
  }

  /** An option may be set in several statements, so missing fields are known only at the end. */
  #requireFields(message: OptionMessage, options: readonly Option[]): void {
    for (const { field, values } of message.entries.values()) {
      try {
        for (const value of values) this.#require(value);
      } catch (error) {
        if (!(error instanceof OptionRefusal)) throw error;
        const local = field.element.name;
        const option = options.find(({ name: [first] }) => first!.name === local || first!.name.endsWith(`.${local}`));
        this.#report(option ?? options[0]!, error);
      }
    }
  }

  #require(value: OptionFieldValue): void {
    if (!isOptionMessage(value)) return;
    const { element, fullName } = value.definition;
    let required = this.#required.get(element);
    if (required === undefined) {
      required = element.fields.filter(({ label }) => label === "required");
      this.#required.set(element, required);
    }
    for (const { number, name } of required) {
      if (!value.entries.has(number)) {
        const message = `required field "${shown(name)}" of "${shown(fullName)}" is missing.`;
        throw new OptionRefusal("option_value", message);
      }
    }
    for (const { values } of value.entries.values()) for (const inner of values) this.#require(inner);
  }

  #setOption(root: OptionMessage, name: readonly OptionNamePart[], value: OptionValue): void {
    let message = root;
    name.forEach((part, index) => {
      const field = part.isExtension
        ? this.#extension(message.definition, part.name)
        : this.#field(message.definition, part.name, false);
      if (index === 0 && !part.isExtension && part.name === "uninterpreted_option") {
        throw new OptionRefusal("reserved_option", "is reserved for tools and cannot be written.");
      }
      // A feature may determine how its defining file is read, so it must be known in advance.
      if (index === 1 && part.isExtension && isFeatures(name[0]!) && field.file === this.#scope.file) {
        throw new OptionRefusal("feature", "a feature cannot be used in the file that defines it.");
      }
      if (index === name.length - 1) {
        if (value.kind === "list")
          throw new OptionRefusal("option_value", "a list is allowed only inside a message value.");
        this.#setField(message, field, value, true);
        return;
      }
      message = this.#enter(message, field);
    });
  }

  /** The message in a singular field, created if necessary. */
  #enter(message: OptionMessage, field: Definition<Field>): OptionMessage {
    const { element } = field;
    const definition = this.#fieldMessage(field);
    if (definition === undefined) throw new OptionRefusal("option_name", `"${shown(element.name)}" is not a message.`);
    if (isRepeated(element)) {
      throw new OptionRefusal("option_name", `"${shown(element.name)}" is repeated; set it by a message value.`);
    }
    this.#checkTarget(field);
    const entry = message.entries.get(element.number);
    const known = entry?.values[0];
    if (known !== undefined && isOptionMessage(known)) return known;
    this.#checkOneof(message, field);
    const inner: OptionMessage = { definition, entries: new Map(), oneofs: new Map() };
    message.entries.set(element.number, { field, values: [inner] });
    return inner;
  }

  #setField(message: OptionMessage, field: Definition<Field>, value: OptionValue, isTop: boolean): void {
    const { element } = field;
    this.#checkTarget(field);
    const entry = message.entries.get(element.number);
    if (isRepeated(element)) {
      const items = value.kind === "list" ? value.items : [value];
      const values = items.map((item) => this.#value(field, item, isTop));
      if (entry === undefined) message.entries.set(element.number, { field, values });
      else for (const item of values) entry.values.push(item);
      return;
    }
    if (value.kind === "list") throw new OptionRefusal("option_value", `"${shown(element.name)}" is not repeated.`);
    if (entry !== undefined) throw new OptionRefusal("duplicate_option", `"${shown(element.name)}" is already set.`);
    this.#checkOneof(message, field);
    message.entries.set(element.number, { field, values: [this.#value(field, value, isTop)] });
  }

  #checkOneof(message: OptionMessage, { element }: Definition<Field>): void {
    if (element.oneof === null) return;
    const other = message.oneofs.get(element.oneof);
    if (other !== undefined && other !== element) {
      throw new OptionRefusal(
        "option_value",
        `"${shown(element.name)}" and "${shown(other.name)}" are of one oneof; set one of them.`,
      );
    }
    message.oneofs.set(element.oneof, element);
  }

  #checkTarget({ element }: Definition<Field>): void {
    const targets = element.options.filter(
      ({ name }) => name.length === 1 && !name[0]!.isExtension && name[0]!.name === "targets",
    );
    if (targets.length === 0) return;
    if (targets.some(({ value }) => value.kind === "identifier" && value.name === this.#target)) return;
    const here = this.#target.replace("TARGET_TYPE_", "").toLowerCase().replaceAll("_", " ");
    throw new OptionRefusal("option_target", `"${shown(element.name)}" cannot be set on an element of kind ${here}.`);
  }

  #field(definition: Definition<Message>, name: string, isTextFormat: boolean): Definition<Field> {
    const found = this.#lookUp(joinName(definition.fullName, name));
    if (found !== undefined && isFieldOf(found, definition)) {
      return found;
    }
    // The text format may call a group by the name of its message.
    if (isTextFormat) {
      const group = this.#lookUp(joinName(definition.fullName, name.toLowerCase()));
      if (group !== undefined && isFieldOf(group, definition) && group.element.type.kind === "group") {
        if (group.element.type.message.name === name) return group;
      }
    }
    throw new OptionRefusal("unknown_option", `"${shown(definition.fullName)}" has no field "${shown(name)}".`);
  }

  #extension(definition: Definition<Message>, name: string): Definition<Field> {
    const found = resolveName(this.model, this.#scope, name, (candidate) => candidate.extend !== null, true);
    if (found === undefined || !isExtension(found)) {
      throw new OptionRefusal("unresolved_option", `extension "${shown(name)}" is not defined in any visible file.`);
    }
    const extendee = this.#resolve(found.parent ?? fileScope(found.file), found.extend!.extendee);
    if (extendee?.fullName !== definition.fullName) {
      throw new OptionRefusal(
        "unresolved_option",
        `extension "${shown(name)}" extends "${shown(found.extend!.extendee)}", not "${shown(definition.fullName)}".`,
      );
    }
    this.hooks.uses(found.file);
    return found;
  }

  #value(field: Definition<Field>, value: OptionValue, isTop: boolean): OptionFieldValue {
    const { type, name } = field.element;
    if (type.kind === "scalar") return scalarValue(type.name, name, value, isTop);
    if (type.kind === "named") {
      const target = this.#resolve(field, type.name);
      if (target === undefined) throw new OptionRefusal("unresolved_type", `the type of "${shown(name)}" is unknown.`);
      if (isEnumDefinition(target)) return this.#enumValue(target, name, value, isTop);
    }
    const definition = this.#fieldMessage(field);
    if (definition === undefined)
      throw new OptionRefusal("unresolved_type", `the type of "${shown(name)}" is unknown.`);
    if (value.kind !== "message") throw new OptionRefusal("option_value", `"${shown(name)}" needs a message { … }.`);
    return this.#messageValue(definition, value.fields);
  }

  #messageValue(definition: Definition<Message>, fields: readonly OptionField[]): OptionMessage {
    const message: OptionMessage = { definition, entries: new Map(), oneofs: new Map() };
    for (const { name, value } of fields) {
      if (name.kind === "any") this.#setAny(message, name, value);
      else {
        const field =
          name.kind === "extension" ? this.#extension(definition, name.name) : this.#field(definition, name.name, true);
        this.#setField(message, field, value, false);
      }
    }
    return message;
  }

  /** `[type.googleapis.com/foo.Bar] { … }` fills an Any. */
  #setAny(message: OptionMessage, name: Extract<OptionFieldName, { kind: "any" }>, value: OptionValue): void {
    if (message.definition.fullName !== "google.protobuf.Any") {
      throw new OptionRefusal("option_value", "a type URL is allowed only in a google.protobuf.Any.");
    }
    if (name.domain !== "type.googleapis.com" && name.domain !== "type.googleprod.com") {
      throw new OptionRefusal("option_value", "a type URL starts with type.googleapis.com.");
    }
    const target = this.#resolve(this.#scope, `.${name.name}`);
    if (target === undefined || !isMessageDefinition(target)) {
      throw new OptionRefusal("unresolved_type", `message "${shown(name.name)}" of a type URL is unknown.`);
    }
    if (value.kind !== "message") throw new OptionRefusal("option_value", "a type URL needs a message { … }.");
    this.hooks.uses(target.file);
    const content = this.#messageValue(target, value.fields);
    this.#require(content);
    const url = new TextEncoder().encode(`${name.domain}/${name.name}`);
    this.#put(message, "type_url", url);
    this.#put(message, "value", encodeOptions(content));
  }

  #put(message: OptionMessage, name: string, value: Scalar): void {
    const field = this.#field(message.definition, name, true);
    if (message.entries.has(field.element.number)) {
      throw new OptionRefusal("duplicate_option", `"${name}" is already set.`);
    }
    message.entries.set(field.element.number, { field, values: [value] });
  }

  #enumValue(definition: Definition<Enum>, name: string, value: OptionValue, isTop: boolean): number {
    if (value.kind === "integer" && !isTop) {
      // An open enum accepts any number, and for a closed one a refusal here would not be helpful.
      const [min, max] = integerRange("int32")!;
      if (value.value >= min && value.value <= max) return Number(value.value);
    } else if (value.kind === "identifier") {
      let numbers = this.#enumNumbers.get(definition.element);
      if (numbers === undefined) {
        numbers = new Map(definition.element.values.map((candidate) => [candidate.name, candidate.number]));
        this.#enumNumbers.set(definition.element, numbers);
      }
      const number = numbers.get(value.name);
      if (number !== undefined) return number;
    }
    throw new OptionRefusal("option_value", `"${shown(name)}" needs a value of enum "${shown(definition.fullName)}".`);
  }

  #fieldMessage(field: Definition<Field>): Definition<Message> | undefined {
    const { type } = field.element;
    if (type.kind === "scalar") return undefined;
    const scope = field.parent ?? fileScope(field.file);
    if (type.kind === "named") {
      const target = this.#resolve(scope, type.name);
      return target !== undefined && isMessageDefinition(target) ? target : undefined;
    }
    const element = type.kind === "group" ? type.message : type.entry;
    return this.#message(joinName(scope.fullName, element.name));
  }

  #message(fullName: string): Definition<Message> | undefined {
    const found = this.#lookUp(fullName);
    return found !== undefined && isMessageDefinition(found) ? found : undefined;
  }

  /** A schema may include its own descriptor.proto; otherwise the built-in one defines the options. */
  #lookUp(fullName: string): Definition | undefined {
    return this.model.definitions.get(fullName) ?? descriptorModel().definitions.get(fullName);
  }

  #resolve(scope: Scope, name: string): TypeDefinition | undefined {
    return resolveType(this.model, scope, name) ?? resolveType(descriptorModel(), scope, name);
  }
}

function isFieldOf(found: Definition, definition: Definition<Message>): found is Definition<Field> {
  return found.element.kind === "field" && found.extend === null && found.parent?.element === definition.element;
}

function isFeatures({ name, isExtension: isCustom }: OptionNamePart): boolean {
  return name === "features" && !isCustom;
}
