/**
 * The grammar of a .proto file: proto2, proto3, editions 2023 and 2024 (https://protobuf.dev/reference/protobuf/).
 * Names and numbers are taken as written and checked after linking.
 */

import type { SchemaProblem, SchemaReference, TextRefusal } from "../../format.ts";
import { ok, type Result, refuse } from "../../result.ts";
import type {
  Edition,
  Enum,
  Extend,
  Import,
  ImportKind,
  Message,
  Method,
  MethodType,
  Option,
  ProtoFile,
  Service,
} from "../model.ts";
import { parseEnum } from "./enum.ts";
import { GrammarContext } from "./grammar.ts";
import { parseExtend, parseMessage } from "./message.ts";
import { parseOptionStatement, parseStrings, parseTypeName } from "./options.ts";
import { Lexer, ProtoTextError, shown, textProblem } from "./tokens.ts";

/** protoc's limits for a package (descriptor.cc). */
const MAX_PACKAGE_LENGTH = 511;
const MAX_PACKAGE_DOTS = 100;

type ParseFileOptions = {
  path: string;
  reference: SchemaReference | null;
  isBuiltin: boolean;
  /** Skips rules that only new schemas must follow: labels, and features that an edition lacks. */
  isLenient: boolean;
};

type ParseFileResult = Result<{ file: ProtoFile; elements: number; warnings: readonly SchemaProblem[] }, TextRefusal>;

/** Parses one .proto text by grammar alone, without imports. */
export function parseFile(text: string, options: ParseFileOptions): ParseFileResult {
  try {
    const parser = new FileParser(new Lexer(text), options);
    const file = parser.file();
    return ok({ file, elements: parser.lexer.elements, warnings: parser.warnings });
  } catch (error) {
    if (!(error instanceof ProtoTextError)) throw error;
    return refuse({ reason: error.reason, problem: textProblem(text, error) });
  }
}

class FileParser {
  readonly warnings: SchemaProblem[] = [];
  readonly #imports: Import[] = [];
  readonly #options: Option[] = [];
  readonly #messages: Message[] = [];
  readonly #enums: Enum[] = [];
  readonly #services: Service[] = [];
  readonly #extends: Extend[] = [];
  #package: string | null = null;
  #context: GrammarContext;

  readonly lexer: Lexer;
  readonly options: ParseFileOptions;

  constructor(lexer: Lexer, options: ParseFileOptions) {
    this.lexer = lexer;
    this.options = options;
    this.#context = new GrammarContext(lexer, "proto2", options.isLenient);
  }

  file(): ProtoFile {
    const { lexer } = this;
    const edition = this.#edition();
    if (edition === null) this.#warn("missing_syntax", "The text has no syntax line and is read as proto2.", 0);
    this.#context = new GrammarContext(lexer, edition ?? "proto2", this.options.isLenient);
    while (lexer.kind !== "end") if (!lexer.take(";")) this.#statement();
    const { path, reference, isBuiltin } = this.options;
    return {
      path,
      text: lexer.text,
      edition: edition ?? "proto2",
      hasEdition: edition !== null,
      package: this.#package ?? "",
      imports: this.#imports,
      options: this.#options,
      messages: this.#messages,
      enums: this.#enums,
      services: this.#services,
      extends: this.#extends,
      reference,
      isBuiltin,
    };
  }

  #edition(): Edition | null {
    const { lexer } = this;
    const isEdition = lexer.is("edition");
    if (!isEdition && !lexer.is("syntax")) return null;
    const keyword = lexer.word;
    lexer.advance();
    lexer.expect("=", `after "${keyword}"`);
    const { start } = lexer;
    if (lexer.kind !== "string") lexer.fail(`Expected a string as the value of "${keyword}"`);
    const { value } = parseStrings(lexer);
    lexer.expect(";", `after the value of "${keyword}"`);
    if (isEdition && (value === "2023" || value === "2024")) return value;
    if (!isEdition && (value === "proto2" || value === "proto3")) return value;
    throw new ProtoTextError(
      isEdition ? "unknown_edition" : "unknown_syntax",
      `Unknown ${keyword} "${shown(value)}", expected ${isEdition ? '"2023" or "2024"' : '"proto2" or "proto3"'}.`,
      start,
    );
  }

  #statement(): void {
    const { lexer } = this;
    const visibility = this.#context.visibility();
    switch (lexer.kind === "identifier" ? lexer.word : "") {
      case "message":
        this.#messages.push(parseMessage(this.#context, visibility, 1));
        return;
      case "enum":
        this.#enums.push(parseEnum(this.#context, visibility));
        return;
      case "extend":
        this.#extends.push(parseExtend(this.#context, this.#messages, 1));
        return;
      case "service":
        this.#services.push(parseService(this.#context));
        return;
      case "option":
        this.#options.push(parseOptionStatement(lexer));
        return;
      case "import":
        this.#import();
        return;
      case "package":
        this.#parsePackage();
        return;
      case "syntax":
      case "edition":
        lexer.fail(`"${lexer.word}" is allowed once, at the start of the text. Expected a declaration`);
        return;
      default:
        lexer.fail("Expected a declaration");
    }
  }

  #import(): void {
    const { lexer } = this;
    const { start } = lexer;
    lexer.advance();
    lexer.count();
    let kind: ImportKind = "default";
    for (const modifier of ["public", "weak", "option"] as const) {
      if (kind === "default" && lexer.take(modifier)) kind = modifier;
    }
    if (lexer.kind !== "string") lexer.fail("Expected the path of an import in quotes");
    const { value: path } = parseStrings(lexer);
    lexer.expect(";", "after an import");
    const edition = this.#context.edition;
    if (!this.options.isLenient) {
      if (kind === "option" && edition !== "2024")
        this.#refuse("edition_feature", '"import option" needs edition 2024.', start);
      if (kind === "weak" && edition === "2024")
        this.#refuse("edition_feature", 'Edition 2024 has no "import weak".', start);
      if (kind !== "option" && this.#imports.at(-1)?.kind === "option") {
        this.#refuse("import_order", 'Imports must come before "import option".', start);
      }
    }
    this.#imports.push({ start, path, kind });
  }

  #parsePackage(): void {
    const { lexer } = this;
    const { start } = lexer;
    lexer.advance();
    if (this.#package !== null) this.#refuse("duplicate_package", "A text has at most one package.", start);
    if (lexer.is(".")) lexer.fail("Expected the name of a package without a leading dot");
    const name = parseTypeName(lexer, "the name of a package");
    lexer.expect(";", "after the package");
    if (name.length > MAX_PACKAGE_LENGTH || name.split(".").length - 1 > MAX_PACKAGE_DOTS) {
      this.#refuse(
        "package_too_long",
        `A package has at most ${MAX_PACKAGE_LENGTH} characters and ${MAX_PACKAGE_DOTS} dots.`,
        start,
      );
    }
    this.#package = name;
  }

  #refuse(rule: string, message: string, offset: number): never {
    throw new ProtoTextError(rule, message, offset);
  }

  #warn(rule: string, message: string, offset: number): void {
    this.warnings.push(textProblem(this.lexer.text, { rule, message, offset }));
  }
}

function parseService(context: GrammarContext): Service {
  const { lexer } = context;
  const documentation = context.takeDocumentation();
  lexer.expect("service", "");
  lexer.count();
  const { start } = lexer;
  const name = lexer.identifier("the name of a service");
  lexer.expect("{", "after the name of a service");
  const options: Option[] = [];
  const methods: Method[] = [];
  while (!lexer.take("}")) {
    if (lexer.take(";")) continue;
    if (lexer.is("option")) options.push(parseOptionStatement(lexer));
    else if (lexer.is("rpc")) methods.push(parseMethod(context));
    else lexer.fail('Expected "rpc" or "option" in a service');
  }
  return { kind: "service", start, documentation, name, options, methods };
}

function parseMethod(context: GrammarContext): Method {
  const { lexer } = context;
  lexer.count();
  const documentation = lexer.leadingComment();
  lexer.advance();
  const { start } = lexer;
  const name = lexer.identifier("the name of an rpc");
  const input = parseMethodType(lexer);
  lexer.expect("returns", "after the request type of an rpc");
  const output = parseMethodType(lexer);
  const options: Option[] = [];
  const hasBlock = lexer.take("{");
  if (hasBlock) {
    while (!lexer.take("}")) if (!lexer.take(";")) options.push(parseMethodOption(lexer));
    // An rpc ends with its block; a semicolon after it is an empty statement of the service.
  } else lexer.expect(";", "after an rpc");
  return { kind: "method", start, documentation, name, input, output, hasBlock, options };
}

function parseMethodOption(lexer: Lexer): Option {
  if (!lexer.is("option")) lexer.fail('Expected "option" in the block of an rpc');
  return parseOptionStatement(lexer);
}

function parseMethodType(lexer: Lexer): MethodType {
  lexer.expect("(", "before the type of an rpc");
  const { start, previousEnd } = lexer;
  let stream = lexer.take("stream");
  if (stream && lexer.is(")")) {
    stream = false;
    lexer.rewind(start, previousEnd);
  }
  const name = parseTypeName(lexer, "the type of an rpc");
  lexer.expect(")", "after the type of an rpc");
  return { start, name, stream };
}
