/**
 * The text that equal schemas share: a file printed anew, in the Confluent server's layout, without comments. A message
 * contains, in this order, reserved, options, fields, oneofs, groups, extensions, extends, messages and enums, each in
 * declaration order. https://github.com/confluentinc/schema-registry/tree/master/protobuf-provider
 */
import {
  type Enum,
  type Extend,
  type ExtensionRanges,
  type Field,
  type FieldType,
  type Import,
  MAX_ENUM_NUMBER,
  MAX_FIELD_NUMBER,
  type Message,
  type Method,
  type MethodType,
  type NumberRange,
  type Oneof,
  type Option,
  type OptionField,
  type OptionFieldName,
  type OptionNamePart,
  type OptionValue,
  type ProtobufModel,
  type ProtoFile,
  type Reserved,
  type Service,
} from "../model.ts";
import { type StringValue, stringBytes } from "../parse/tokens.ts";

/** The canonical text of a schema. */
export function canonicalText(model: ProtobufModel): string {
  return printFile(model.file);
}

type PrintOptions = {
  /** Whether `default` and `json_name` keep their position among the options of a field. */
  keepsOptionOrder?: boolean;
};

/** Prints a file without looking at its imports. */
export function printFile(file: ProtoFile, options: PrintOptions = {}): string {
  const printer = new Printer(file, options);
  printer.file();
  return printer.text();
}

class Printer {
  readonly #lines: string[] = [];
  #indent = "";
  /** The indentation of the enclosing block, which its blank lines share. */
  #outer = "";
  #isFirstSection = false;
  readonly #usesEditions: boolean;

  readonly source: ProtoFile;
  readonly options: PrintOptions;

  constructor(source: ProtoFile, options: PrintOptions) {
    this.source = source;
    this.options = options;
    this.#usesEditions = source.edition === "2023" || source.edition === "2024";
  }

  text(): string {
    return this.#lines.length === 0 ? "" : `${this.#lines.join("\n")}\n`;
  }

  file(): void {
    const { source } = this;
    if (source.hasEdition) this.#line(`${this.#usesEditions ? "edition" : "syntax"} = "${source.edition}";`);
    if (source.package !== "") this.#line(`package ${source.package};`);
    this.#section(sortedImports(source.imports), (entry) => this.#import(entry));
    this.#section(source.options, (option) => this.#option(option));
    const messages = source.messages.filter(isWritten);
    if (messages.length + source.enums.length > 0) {
      this.#blank();
      for (const message of messages) this.#message(message);
      for (const element of source.enums) this.#enum(element);
    }
    this.#section(source.extends, (extend) => this.#extend(extend));
    this.#section(source.services, (service) => this.#service(service));
  }

  #import({ path, kind }: Import): void {
    this.#line(`import ${kind === "default" ? "" : `${kind} `}"${quote({ value: path })}";`);
  }

  #message({ name, visibility, ...message }: Message): void {
    this.#block(`${visibility === null ? "" : `${visibility} `}message ${name}`, () => this.#messageBody(message));
  }

  #messageBody(message: Omit<Message, "name" | "visibility">): void {
    this.#section(message.reserved, (reserved) => this.#reserved(reserved, MAX_FIELD_NUMBER));
    this.#section(message.options, (option) => this.#option(option));
    const plain = message.fields.filter(({ oneof }) => oneof === null);
    this.#section(
      plain.filter(({ type }) => type.kind !== "group"),
      (field) => this.#field(field),
    );
    const members = Map.groupBy(message.fields, ({ oneof }) => oneof);
    this.#section(message.oneofs, (oneof) => this.#oneof(oneof, members.get(oneof) ?? []));
    this.#section(
      plain.filter(({ type }) => type.kind === "group"),
      (field) => this.#field(field),
    );
    this.#section(message.extensionRanges, (ranges) => this.#extensionRanges(ranges));
    this.#section(message.extends, (extend) => this.#extend(extend));
    const messages = message.messages.filter(isWritten);
    if (messages.length + message.enums.length > 0) {
      this.#blank();
      for (const nested of messages) this.#message(nested);
      for (const nested of message.enums) this.#enum(nested);
    }
  }

  #oneof(oneof: Oneof, members: readonly Field[]): void {
    this.#block(`oneof ${oneof.name}`, () => {
      this.#section(oneof.options, (option) => this.#option(option));
      this.#section(
        members.filter(({ type }) => type.kind !== "group"),
        (field) => this.#field(field),
      );
      this.#section(
        members.filter(({ type }) => type.kind === "group"),
        (field) => this.#field(field),
      );
    });
  }

  #field(field: Field): void {
    const label = field.label === null ? "" : `${field.label} `;
    const { type } = field;
    if (type.kind === "group") {
      const head = `${label}group ${type.message.name} = ${field.number}${this.#brackets(field.options)}`;
      this.#block(head, () => this.#messageBody(type.message));
      return;
    }
    this.#line(`${label}${typeText(type)} ${field.name} = ${field.number}${this.#brackets(field.options)};`);
  }

  #extend({ extendee, fields }: Extend): void {
    this.#block(`extend ${extendee}`, () => this.#section(fields, (field) => this.#field(field)));
  }

  #enum({ name, visibility, reserved, options, values }: Enum): void {
    this.#block(`${visibility === null ? "" : `${visibility} `}enum ${name}`, () => {
      for (const statement of reserved) this.#reserved(statement, MAX_ENUM_NUMBER);
      for (const option of options) this.#option(option);
      for (const value of values) {
        this.#line(`${value.name} = ${value.number}${this.#brackets(value.options)};`);
      }
    });
  }

  #service({ name, options, methods }: Service): void {
    this.#block(`service ${name}`, () => {
      this.#section(options, (option) => this.#option(option));
      this.#section(methods, (method) => this.#method(method));
    });
  }

  #method({ name, input, output, options }: Method): void {
    const type = ({ name: typeName, stream }: MethodType) => `${stream ? "stream " : ""}${typeName}`;
    const head = `rpc ${name} (${type(input)}) returns (${type(output)})`;
    if (options.length === 0) this.#line(`${head};`);
    else {
      this.#block(
        head,
        () => {
          for (const option of options) this.#option(option);
        },
        "};",
      );
    }
  }

  #reserved({ ranges, names }: Reserved, max: number): void {
    const numbers = ranges.map((range) => rangeText(range, max));
    const words = names.map((name) => (this.#usesEditions ? name : `"${quote({ value: name })}"`));
    this.#line(`reserved ${[...numbers, ...words].join(", ")};`);
  }

  #extensionRanges({ ranges, options }: ExtensionRanges): void {
    const numbers = ranges.map((range) => rangeText(range, MAX_FIELD_NUMBER));
    this.#line(`extensions ${numbers.join(", ")}${this.#brackets(options)};`);
  }

  #option(option: Option): void {
    this.#line(`option ${optionText(option, this.#indent)};`);
  }

  /** Options in brackets: a single one stays on the line, several get lines of their own. */
  #brackets(options: readonly Option[]): string {
    if (options.length === 0) return "";
    const [only] = options;
    if (options.length === 1) return ` [${optionText(only!, this.#indent)}]`;
    const inner = `${this.#indent}  `;
    const ordered = this.options.keepsOptionOrder === true ? options : specialLast(options);
    const lines = ordered.map((option) => inner + optionText(option, inner));
    return ` [\n${lines.join(",\n")}\n${this.#indent}]`;
  }

  /** Separated by a blank line from the section before, if there is one; empty without items. */
  #section<T>(items: readonly T[], print: (item: T) => void): void {
    if (items.length === 0) return;
    this.#blank();
    for (const item of items) print(item);
  }

  #blank(): void {
    if (!this.#isFirstSection) this.#lines.push(this.#outer);
    this.#isFirstSection = false;
  }

  #block(head: string, body: () => void, tail = "}"): void {
    this.#line(`${head} {`);
    const first = this.#lines.length;
    const around = { indent: this.#indent, outer: this.#outer };
    this.#outer = around.indent;
    this.#indent = `${around.indent}  `;
    this.#isFirstSection = true;
    body();
    this.#isFirstSection = false;
    this.#indent = around.indent;
    this.#outer = around.outer;
    if (this.#lines.length === first) this.#lines.push(`${this.#lines.pop()}${tail}`);
    else this.#line(tail);
  }

  #line(text: string): void {
    this.#lines.push(this.#indent + text);
  }
}

/** Synthetic messages are written as the field that declares them. */
function isWritten({ synthetic }: Message): boolean {
  return synthetic === null;
}

/** Public imports come last, except that nothing may follow `import option`. */
function sortedImports(imports: readonly Import[]): readonly Import[] {
  const rank = { default: 0, weak: 0, public: 1, option: 2 };
  return imports.toSorted((a, b) => rank[a.kind] - rank[b.kind]);
}

/** `default` and `json_name` are not options in a descriptor; they come after the real options. */
function specialLast(options: readonly Option[]): readonly Option[] {
  const rank = ({ name }: Option) => {
    if (name.length > 1 || name[0]!.isExtension) return 0;
    return name[0]!.name === "default" ? 1 : name[0]!.name === "json_name" ? 2 : 0;
  };
  return options.toSorted((a, b) => rank(a) - rank(b));
}

/** A field's type as written. */
export function typeText(type: FieldType): string {
  switch (type.kind) {
    case "map":
      return `map<${type.key}, ${type.value.name}>`;
    case "group":
      return type.message.name;
    default:
      return type.name;
  }
}

function rangeText({ from, to, isSpelledOut }: NumberRange, max: number): string {
  if (from === to && isSpelledOut !== true) return String(from);
  return `${from} to ${to >= max ? "max" : to}`;
}

function optionText({ name, value }: Option, indent: string): string {
  const isOnOneLine = value.kind === "list" && value.items.length === 1;
  const text = isOnOneLine ? `[${valueText(value.items[0]!, indent)}]` : valueText(value, indent);
  return `${optionNameText(name)} = ${text}`;
}

/** An option's name as written. */
export function optionNameText(name: readonly OptionNamePart[]): string {
  return name.map((part) => (part.isExtension ? `(${part.name})` : part.name)).join(".");
}

function valueText(value: OptionValue, indent: string): string {
  const inner = `${indent}  `;
  switch (value.kind) {
    case "identifier":
      return value.name;
    case "integer":
    case "float":
      return value.text;
    case "string":
      return `"${quote(value)}"`;
    case "message": {
      const lines = grouped(value.fields).map(([name, item]) => `${inner}${name}: ${valueText(item, inner)}`);
      return lines.length === 0 ? "{\n".concat(indent, "}") : `{\n${lines.join(",\n")}\n${indent}}`;
    }
    case "list": {
      const lines = value.items.map((item) => inner + valueText(item, inner));
      return lines.length === 0 ? `[\n${indent}]` : `[\n${lines.join(",\n")}\n${indent}]`;
    }
  }
}

/** Values of one name together: `a: 1 a: 2` is equivalent to `a: [1, 2]`. A written list stays a list. */
function grouped(fields: readonly OptionField[]): [string, OptionValue][] {
  const byName = new Map<string, OptionValue[]>();
  for (const { name, value } of fields) {
    const text = fieldNameText(name);
    const values = byName.get(text);
    if (values === undefined) byName.set(text, [value]);
    else values.push(value);
  }
  return [...byName].map(([name, values]) => [name, values.length === 1 ? values[0]! : joinedList(values)]);
}

/** Several values of one field as one list. */
export function joinedList(values: readonly OptionValue[]): OptionValue {
  return { kind: "list", items: values.flatMap((value) => (value.kind === "list" ? value.items : [value])) };
}

/** A field's name in a message value, as written. */
export function fieldNameText(name: OptionFieldName): string {
  switch (name.kind) {
    case "field":
      return name.name;
    case "extension":
      return `[${name.name}]`;
    case "any":
      return `[${name.domain}/${name.name}]`;
  }
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "'": "\\'",
  "\\": "\\\\",
  "\u0007": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
};

/** The inside of a string literal. Bytes that are not text are written in octal, always with three digits. */
function quote(value: StringValue): string {
  if (value.bytes === undefined) {
    return value.value.replace(
      /["'\\\u0000-\u001f\u007f]/g,
      (character) => SHORT_ESCAPES[character] ?? octal(character.charCodeAt(0)),
    );
  }
  return Array.from(stringBytes(value), (byte) => {
    const character = String.fromCharCode(byte);
    if (byte >= 0x7f) return octal(byte);
    return SHORT_ESCAPES[character] ?? (byte < 0x20 ? octal(byte) : character);
  }).join("");
}

function octal(byte: number): string {
  return `\\${byte.toString(8).padStart(3, "0")}`;
}
