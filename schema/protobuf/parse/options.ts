/** Option names and values, including the text format inside `{ … }`. */
import type { Option, OptionField, OptionFieldName, OptionNamePart, OptionValue } from "../model.ts";
import { decodeString, joinStrings, type Lexer, ProtoTextError } from "./tokens.ts";

/** Nesting of `{ … }` and `[ … ]` in one option value. */
export const MAX_OPTION_DEPTH = 64;
/** An integer with more digits than 2^64 is read as a float, as in protoc. */
const MAX_INTEGER_DIGITS = 20;
const MAX_UINT64 = 18_446_744_073_709_551_615n;

/** `name = value`, the same in statements and in brackets. */
function parseOption(lexer: Lexer): Option {
  lexer.count();
  const { start } = lexer;
  const name = parseOptionName(lexer);
  lexer.expect("=", "after the name of an option");
  // The Confluent server accepts a list as the value of a custom option; protoc only accepts lists inside message
  // values.
  const value = name[0]!.isExtension && lexer.is("[") ? parseListValue(lexer, 1) : parseOptionValue(lexer);
  return { start, name, value };
}

/** `option name = value;`, including the keyword. */
export function parseOptionStatement(lexer: Lexer): Option {
  lexer.expect("option", "");
  const option = parseOption(lexer);
  lexer.expect(";", "after an option");
  return option;
}

/** `[a = 1, b = 2]`, or nothing. */
export function parseBracketedOptions(lexer: Lexer): Option[] {
  const options: Option[] = [];
  if (!lexer.take("[")) return options;
  do options.push(parseOption(lexer));
  while (lexer.take(","));
  lexer.expect("]", "after options");
  return options;
}

function parseOptionName(lexer: Lexer): OptionNamePart[] {
  const parts: OptionNamePart[] = [];
  do {
    lexer.count();
    if (lexer.take("(")) {
      parts.push({ name: parseTypeName(lexer, "the name of an extension"), isExtension: true });
      lexer.expect(")", "after the name of an extension");
    } else parts.push({ name: lexer.identifier("the name of an option"), isExtension: false });
  } while (lexer.take("."));
  return parts;
}

/** A dotted name, with a leading dot if it is absolute. */
export function parseTypeName(lexer: Lexer, what: string): string {
  const absolute = lexer.take(".");
  const parts = [lexer.identifier(what)];
  while (lexer.take(".")) parts.push(lexer.identifier(what));
  return absolute ? `.${parts.join(".")}` : parts.join(".");
}

/** The value of a standard option, which is never a list. */
function parseOptionValue(lexer: Lexer): OptionValue {
  if (lexer.is("{")) return parseMessageValue(lexer, 1);
  return parseScalarValue(lexer);
}

function parseScalarValue(lexer: Lexer): OptionValue {
  lexer.count();
  if (lexer.kind === "string") return parseStrings(lexer);
  if (lexer.take("-")) {
    if (lexer.kind === "identifier" && (lexer.is("inf") || lexer.is("infinity") || lexer.is("nan"))) {
      return { kind: "identifier", name: `-${lexer.identifier("a number")}` };
    }
    if (lexer.kind !== "integer" && lexer.kind !== "float") lexer.fail('Expected a number after "-"');
    return parseNumber(lexer, "-");
  }
  if (lexer.kind === "integer" || lexer.kind === "float") return parseNumber(lexer, "");
  if (lexer.kind === "identifier") return { kind: "identifier", name: lexer.identifier("a value") };
  return lexer.fail("Expected a value");
}

/** Adjacent string literals form one value. */
export function parseStrings(lexer: Lexer): Extract<OptionValue, { kind: "string" }> {
  const parts = [];
  while (lexer.kind === "string") {
    parts.push(decodeString(lexer.word, lexer.start));
    lexer.advance();
  }
  return { kind: "string", ...joinStrings(parts) };
}

function parseNumber(lexer: Lexer, sign: "" | "-"): OptionValue {
  const { word, kind, start } = lexer;
  lexer.advance();
  const text = sign + word;
  if (kind === "float") return { kind: "float", value: Number(text), text };
  const isDecimal = !/^0./.test(word);
  if (isDecimal && word.length > MAX_INTEGER_DIGITS) return { kind: "float", value: Number(text), text };
  if (word.length > MAX_INTEGER_DIGITS + 10) {
    throw new ProtoTextError("number_out_of_range", "The number does not fit into 64 bits.", start);
  }
  const magnitude = BigInt(/^0[0-7]/.test(word) ? `0o${word.slice(1)}` : word);
  if (magnitude > MAX_UINT64) {
    if (isDecimal) return { kind: "float", value: Number(text), text };
    throw new ProtoTextError("number_out_of_range", "The number does not fit into 64 bits.", start);
  }
  return { kind: "integer", value: sign === "-" ? -magnitude : magnitude, text };
}

function parseMessageValue(lexer: Lexer, depth: number): OptionValue {
  if (depth > MAX_OPTION_DEPTH) {
    throw new ProtoTextError(
      "option_too_deep",
      `Option values are nested deeper than ${MAX_OPTION_DEPTH} levels.`,
      lexer.start,
      "too_complex",
    );
  }
  lexer.count();
  const close = lexer.take("<") ? ">" : "}";
  if (close === "}") lexer.expect("{", "at the start of a message value");
  const fields: OptionField[] = [];
  while (!lexer.take(close)) {
    lexer.count();
    const { start } = lexer;
    const name = parseFieldName(lexer);
    const hasColon = lexer.take(":");
    if (!hasColon && !lexer.is("{") && !lexer.is("<") && !lexer.is("[")) {
      lexer.fail('Expected ":" after the name of a field in a message value');
    }
    const value = parseFieldValue(lexer, depth);
    if (!hasColon && value.kind === "list" && value.items.some(({ kind }) => kind !== "message")) {
      throw new ProtoTextError("syntax", 'Expected ":" before a list of scalars in a message value.', start);
    }
    fields.push({ start, name, value });
    if (!lexer.take(",")) lexer.take(";");
  }
  return { kind: "message", fields };
}

function parseFieldValue(lexer: Lexer, depth: number): OptionValue {
  if (lexer.is("{") || lexer.is("<")) return parseMessageValue(lexer, depth + 1);
  return lexer.is("[") ? parseListValue(lexer, depth) : parseScalarValue(lexer);
}

function parseListValue(lexer: Lexer, depth: number): OptionValue {
  lexer.expect("[", "at the start of a list");
  lexer.count();
  const items: OptionValue[] = [];
  if (lexer.take("]")) return { kind: "list", items };
  do items.push(lexer.is("{") || lexer.is("<") ? parseMessageValue(lexer, depth + 1) : parseScalarValue(lexer));
  while (lexer.take(","));
  lexer.expect("]", "after a list");
  return { kind: "list", items };
}

function parseFieldName(lexer: Lexer): OptionFieldName {
  if (!lexer.take("[")) return { kind: "field", name: lexer.identifier("the name of a field in a message value") };
  const name = parseDomainOrName(lexer);
  if (lexer.take("/")) {
    const any: OptionFieldName = { kind: "any", domain: name, name: parseTypeName(lexer, "the name of a message") };
    lexer.expect("]", "after a type URL");
    return any;
  }
  if (name.includes("-")) lexer.fail('Expected "/" in a type URL');
  lexer.expect("]", "after the name of an extension");
  return { kind: "extension", name };
}

/** Host names may contain hyphens, names of extensions may not. */
function parseDomainOrName(lexer: Lexer): string {
  let name = lexer.identifier("the name of an extension");
  for (;;) {
    const separator = lexer.is(".") ? "." : lexer.is("-") ? "-" : undefined;
    if (separator === undefined) return name;
    lexer.advance();
    name += separator + lexer.identifier("the name of an extension");
  }
}
