/** Enums, and the number ranges that messages also have. */

import {
  type Enum,
  type EnumValue,
  MAX_ENUM_NUMBER,
  MIN_ENUM_NUMBER,
  type NumberRange,
  type Option,
  type Reserved,
  type Visibility,
} from "../model.ts";
import type { GrammarContext } from "./grammar.ts";
import { parseBracketedOptions, parseOptionStatement, parseStrings } from "./options.ts";
import { shown } from "./tokens.ts";

/** An enum, from its keyword on. */
export function parseEnum(context: GrammarContext, visibility: Visibility): Enum {
  const { lexer } = context;
  const documentation = context.takeDocumentation();
  lexer.expect("enum", "");
  lexer.count();
  const { start } = lexer;
  const name = lexer.identifier("the name of an enum");
  lexer.expect("{", "after the name of an enum");
  const values: EnumValue[] = [];
  const options: Option[] = [];
  const reserved: Reserved[] = [];
  while (!lexer.take("}")) {
    if (lexer.take(";")) continue;
    if (lexer.kind !== "identifier") lexer.fail("Expected the name of an enum value");
    const isValue = context.nextIs("=");
    if (!isValue && lexer.is("option")) options.push(parseOptionStatement(lexer));
    else if (!isValue && lexer.is("reserved")) reserved.push(parseReserved(context, MAX_ENUM_NUMBER));
    else values.push(parseEnumValue(context));
  }
  return { kind: "enum", start, documentation, name, visibility, options, values, reserved };
}

function parseEnumValue(context: GrammarContext): EnumValue {
  const { lexer } = context;
  lexer.count();
  const documentation = lexer.leadingComment();
  const { start } = lexer;
  const name = lexer.identifier("the name of an enum value");
  lexer.expect("=", "after the name of an enum value");
  const number = context.integer("the number of an enum value", MIN_ENUM_NUMBER, MAX_ENUM_NUMBER);
  const options = parseBracketedOptions(lexer);
  lexer.expect(";", "after an enum value");
  return { kind: "enum_value", start, documentation, name, number, options };
}

/** A reserved statement of a message or an enum: numbers, or names (quoted before editions, bare since). */
export function parseReserved(context: GrammarContext, max: number): Reserved {
  const { lexer } = context;
  const { start } = lexer;
  lexer.advance();
  lexer.count();
  const names: string[] = [];
  if (lexer.kind !== "string" && lexer.kind !== "identifier") {
    const ranges = parseRanges(context, max);
    lexer.expect(";", "after reserved numbers");
    return { start, ranges, names };
  }
  do {
    lexer.count();
    names.push(parseReservedName(context));
  } while (lexer.take(","));
  lexer.expect(";", "after reserved names");
  return { start, ranges: [], names };
}

function parseReservedName(context: GrammarContext): string {
  const { lexer, usesEditions } = context;
  const { start } = lexer;
  if (lexer.kind === "string") {
    if (usesEditions) context.refuse("reserved_name", "In editions, reserved names are written without quotes.", start);
    const { value } = parseStrings(lexer);
    if (!/^[A-Za-z_]\w*$/.test(value)) {
      context.refuse("reserved_name", `Reserved name "${shown(value)}" is not an identifier.`, start);
    }
    return value;
  }
  if (!usesEditions) context.refuse("reserved_name", "Before editions, reserved names are written in quotes.", start);
  return lexer.identifier("a reserved name");
}

/** `1, 3 to 5, 9 to max` */
export function parseRanges(context: GrammarContext, max: number): NumberRange[] {
  const { lexer } = context;
  const ranges: NumberRange[] = [];
  do {
    lexer.count();
    const { start } = lexer;
    const from = context.integer("a number", MIN_ENUM_NUMBER, MAX_ENUM_NUMBER);
    if (!lexer.take("to")) ranges.push({ start, from, to: from });
    else if (lexer.take("max")) ranges.push({ start, from, to: max });
    else {
      const to = context.integer("a number", MIN_ENUM_NUMBER, MAX_ENUM_NUMBER);
      ranges.push(from === to ? { start, from, to, isSpelledOut: true } : { start, from, to });
    }
  } while (lexer.take(","));
  return ranges;
}
