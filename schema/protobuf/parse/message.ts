/**
 * Messages, fields, oneofs and extends. Every keyword is also a valid name, so the following tokens decide which
 * statement it is.
 */

import {
  type Enum,
  type Extend,
  type ExtensionRanges,
  type Field,
  type FieldType,
  isScalarType,
  type Label,
  MAX_ENUM_NUMBER,
  MAX_FIELD_NUMBER,
  MAX_MESSAGE_SET_NUMBER,
  type Message,
  MIN_ENUM_NUMBER,
  type NumberRange,
  type Oneof,
  type Option,
  type Reserved,
  type ValueType,
  type Visibility,
} from "../model.ts";
import { mapEntryName } from "../names.ts";
import { parseEnum, parseRanges, parseReserved } from "./enum.ts";
import type { GrammarContext } from "./grammar.ts";
import { parseBracketedOptions, parseOptionStatement, parseTypeName } from "./options.ts";
import { ProtoTextError, shown } from "./tokens.ts";

/** Nesting of messages and groups: protoc refuses a 32nd level (compiler/parser.cc). */
export const MAX_MESSAGE_DEPTH = 31;

const LABELS: ReadonlySet<string> = new Set(["optional", "required", "repeated"]);

/** A message, from its keyword on. */
export function parseMessage(context: GrammarContext, visibility: Visibility, depth: number): Message {
  const { lexer } = context;
  const documentation = context.takeDocumentation();
  lexer.expect("message", "");
  lexer.count();
  const { start } = lexer;
  const name = lexer.identifier("the name of a message");
  return parseBody(context, { start, documentation, name, visibility, synthetic: null }, depth);
}

type Head = Pick<Message, "start" | "documentation" | "name" | "visibility" | "synthetic">;
type Body = {
  options: Option[];
  fields: Field[];
  oneofs: Oneof[];
  messages: Message[];
  enums: Enum[];
  extends: Extend[];
  reserved: Reserved[];
  extensionRanges: ExtensionRanges[];
};

function parseBody(context: GrammarContext, head: Head, depth: number): Message {
  const { lexer } = context;
  if (depth > MAX_MESSAGE_DEPTH) {
    throw new ProtoTextError(
      "message_too_deep",
      `Messages are nested deeper than ${MAX_MESSAGE_DEPTH} levels.`,
      head.start,
      "too_complex",
    );
  }
  lexer.expect("{", "at the start of a message");
  const body: Body = {
    options: [],
    fields: [],
    oneofs: [],
    messages: [],
    enums: [],
    extends: [],
    reserved: [],
    extensionRanges: [],
  };
  while (!lexer.take("}")) if (!lexer.take(";")) parseStatement(context, body, depth);
  return { kind: "message", ...head, ...withMessageSetRanges(body) };
}

function parseStatement(context: GrammarContext, body: Body, depth: number): void {
  const { lexer } = context;
  const visibility = context.visibility();
  switch (lexer.kind === "identifier" && !isFieldType(context) ? lexer.word : "") {
    case "message":
      body.messages.push(parseMessage(context, visibility, depth + 1));
      return;
    case "enum":
      body.enums.push(parseEnum(context, visibility));
      return;
    case "extend":
      body.extends.push(parseExtend(context, body.messages, depth + 1));
      return;
    case "oneof":
      parseOneof(context, body, depth);
      return;
    case "option":
      body.options.push(parseOptionStatement(lexer));
      return;
    case "reserved":
      body.reserved.push(parseReserved(context, MAX_FIELD_NUMBER));
      return;
    case "extensions":
      body.extensionRanges.push(parseExtensionRanges(context));
      return;
    default:
      body.fields.push(parseField(context, { messages: body.messages, oneof: null, isExtension: false }, depth));
  }
}

/** Whether the current keyword is the type of a field: `message message = 6;`, `import.X x = 1;`. */
function isFieldType(context: GrammarContext): boolean {
  const { lexer } = context;
  if (lexer.is("option")) return context.nextIs(".");
  return context.ahead(() => {
    if (lexer.is(".")) {
      // `extend .foo.Bar {` is absolute, `extend.Bar x = 1;` is a type.
      while (lexer.take(".")) if (lexer.kind === "identifier") lexer.advance();
      return !lexer.is("{");
    }
    if (lexer.kind !== "identifier") return false;
    lexer.advance();
    return lexer.is("=");
  });
}

type FieldPlace = { messages: Message[]; oneof: Oneof | null; isExtension: boolean };

function parseField(context: GrammarContext, place: FieldPlace, depth: number): Field {
  const { lexer } = context;
  lexer.count();
  const documentation = context.takeDocumentation();
  const { start: first } = lexer;
  const label = parseLabel(context);
  if (lexer.is("map") && context.nextIs("<")) {
    if (label !== null || place.oneof !== null || place.isExtension) {
      throw new ProtoTextError("map_field", "A map field has no label and cannot be in a oneof or an extend.", first);
    }
    return parseMapField(context, documentation, place.messages);
  }
  if (lexer.is("group") && isGroup(context)) {
    checkLabel(context, label, place, first);
    return parseGroup(context, documentation, label, place, depth);
  }
  if (lexer.kind !== "identifier" && !lexer.is(".")) lexer.fail("Expected a field, a type or a statement");
  const type = namedType(parseTypeName(lexer, "the type of a field"));
  const { start } = lexer;
  const name = lexer.identifier("the name of a field");
  const number = parseFieldNumber(context);
  checkLabel(context, label, place, first);
  const options = parseBracketedOptions(lexer);
  lexer.expect(";", "after a field");
  return { kind: "field", start, documentation, name, number, label, type, oneof: place.oneof, options };
}

function parseLabel({ lexer }: GrammarContext): Label | null {
  if (lexer.kind !== "identifier" || !LABELS.has(lexer.word)) return null;
  const label = lexer.word as Label;
  lexer.advance();
  return label;
}

function checkLabel(context: GrammarContext, label: Label | null, { oneof }: FieldPlace, offset: number): void {
  const { edition } = context;
  if (oneof !== null) {
    if (label !== null) context.refuse("label_in_oneof", "A field of a oneof has no label.", offset);
  } else if (edition === "proto2") {
    if (label === null) {
      context.refuse("missing_label", 'A proto2 field is "optional", "required" or "repeated".', offset);
    }
  } else if (label === "required") {
    context.refuse("required_not_allowed", '"required" is for proto2 only.', offset);
  } else if (label === "optional" && edition !== "proto3") {
    context.refuse("optional_not_allowed", 'Editions have no "optional"; use features.field_presence.', offset);
  }
}

function namedType(name: string): ValueType {
  return isScalarType(name) ? { kind: "scalar", name } : { kind: "named", name };
}

function parseFieldNumber(context: GrammarContext): number {
  context.lexer.expect("=", "after the name of a field");
  return context.integer("the number of a field", MIN_ENUM_NUMBER, MAX_ENUM_NUMBER);
}

function parseMapField(context: GrammarContext, documentation: string | null, messages: Message[]): Field {
  const { lexer } = context;
  lexer.advance();
  lexer.expect("<", 'after "map"');
  const keyStart = lexer.start;
  const key = namedType(parseTypeName(lexer, "the key type of a map"));
  if (key.kind !== "scalar" || key.name === "double" || key.name === "float" || key.name === "bytes") {
    throw new ProtoTextError("map_key_type", "A map key is an integer, a bool or a string.", keyStart);
  }
  lexer.expect(",", "after the key type of a map");
  const value = namedType(parseTypeName(lexer, "the value type of a map"));
  lexer.expect(">", "after the value type of a map");
  const { start } = lexer;
  const name = lexer.identifier("the name of a field");
  const number = parseFieldNumber(context);
  const options = parseBracketedOptions(lexer);
  lexer.expect(";", "after a field");
  const features = options.filter((option) => !option.name[0]!.isExtension && option.name[0]!.name === "features");
  const entry = mapEntry(start, name, key, value, features);
  messages.push(entry);
  const type: FieldType = { kind: "map", key: key.name, value, entry };
  return { kind: "field", start, documentation, name, number, label: null, type, oneof: null, options };
}

/** The synthetic message of a map field; features of the field are features of its key and value. */
function mapEntry(
  start: number,
  fieldName: string,
  key: ValueType,
  value: ValueType,
  features: readonly Option[],
): Message {
  const field = (name: string, number: number, type: ValueType): Field => ({
    kind: "field",
    start,
    documentation: null,
    name,
    number,
    label: null,
    type,
    oneof: null,
    options: features,
  });
  return {
    kind: "message",
    start,
    documentation: null,
    name: mapEntryName(fieldName),
    synthetic: "map_entry",
    visibility: null,
    options: [],
    fields: [field("key", 1, key), field("value", 2, value)],
    oneofs: [],
    messages: [],
    enums: [],
    extends: [],
    reserved: [],
    extensionRanges: [],
  };
}

function isGroup(context: GrammarContext): boolean {
  const { lexer } = context;
  return context.ahead(() => {
    if (lexer.kind !== "identifier") return false;
    lexer.advance();
    if (!lexer.take("=") || !lexer.takeInteger()) return false;
    // Options may contain braces; only the token after their closing bracket decides.
    let depth = 0;
    while (!lexer.isAtEnd && (depth > 0 || lexer.is("["))) {
      if (lexer.is("[")) depth += 1;
      else if (lexer.is("]")) depth -= 1;
      lexer.advance();
    }
    return lexer.is("{");
  });
}

function parseGroup(
  context: GrammarContext,
  documentation: string | null,
  label: Label | null,
  place: FieldPlace,
  depth: number,
): Field {
  const { lexer, edition } = context;
  if (edition !== "proto2") {
    context.refuse("group_not_allowed", "Groups are for proto2 only; use a message.", lexer.start);
  }
  lexer.advance();
  lexer.count();
  const { start } = lexer;
  const name = lexer.identifier("the name of a group");
  if (!/^[A-Z]/.test(name)) {
    context.refuse("group_name", `Group "${shown(name)}" must start with a capital letter.`, start);
  }
  const number = parseFieldNumber(context);
  const options = parseBracketedOptions(lexer);
  const head: Head = { start, documentation, name, visibility: null, synthetic: "group" };
  const message = parseBody(context, head, depth + 1);
  place.messages.push(message);
  return {
    kind: "field",
    start,
    documentation,
    name: name.toLowerCase(),
    number,
    label,
    type: { kind: "group", message },
    oneof: place.oneof,
    options,
  };
}

function parseOneof(context: GrammarContext, body: Body, depth: number): void {
  const { lexer } = context;
  const documentation = context.takeDocumentation();
  lexer.advance();
  lexer.count();
  const { start } = lexer;
  const name = lexer.identifier("the name of a oneof");
  lexer.expect("{", "after the name of a oneof");
  const options: Option[] = [];
  const oneof: Oneof = { kind: "oneof", start, documentation, name, options };
  body.oneofs.push(oneof);
  const place: FieldPlace = { messages: body.messages, oneof, isExtension: false };
  while (!lexer.take("}")) {
    if (lexer.take(";")) continue;
    if (lexer.is("option") && !context.nextIs(".")) options.push(parseOptionStatement(lexer));
    else body.fields.push(parseField(context, place, depth));
  }
}

/** An extend block, from its keyword on. Its groups belong to the enclosing message or file. */
export function parseExtend(context: GrammarContext, messages: Message[], depth: number): Extend {
  const { lexer } = context;
  lexer.advance();
  lexer.count();
  context.takeDocumentation();
  const { start } = lexer;
  const extendee = parseTypeName(lexer, "the name of the extended message");
  lexer.expect("{", "after the name of the extended message");
  const fields: Field[] = [];
  while (!lexer.take("}")) {
    if (!lexer.take(";")) fields.push(parseField(context, { messages, oneof: null, isExtension: true }, depth));
  }
  return { kind: "extend", start, extendee, fields };
}

function parseExtensionRanges(context: GrammarContext): ExtensionRanges {
  const { lexer } = context;
  const { start } = lexer;
  lexer.advance();
  lexer.count();
  const ranges = parseRanges(context, MAX_FIELD_NUMBER);
  const options = parseBracketedOptions(lexer);
  lexer.expect(";", "after extension ranges");
  return { start, ranges, options };
}

/** In message-set wire format `max` is larger, because the numbers are not tags. */
function withMessageSetRanges(body: Body): Body {
  const isMessageSet = body.options.some(
    ({ name, value }) =>
      name.length === 1 &&
      name[0]!.name === "message_set_wire_format" &&
      value.kind === "identifier" &&
      value.name === "true",
  );
  if (!isMessageSet) return body;
  const widen = (range: NumberRange): NumberRange =>
    range.to === MAX_FIELD_NUMBER ? { ...range, to: MAX_MESSAGE_SET_NUMBER } : range;
  return {
    ...body,
    extensionRanges: body.extensionRanges.map((ranges) => ({ ...ranges, ranges: ranges.ranges.map(widen) })),
  };
}
