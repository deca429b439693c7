/** The state shared by all grammar rules: the lexer, the edition, and the strictness. */
import type { Edition, Visibility } from "../model.ts";
import { type Lexer, ProtoTextError } from "./tokens.ts";

export class GrammarContext {
  #documentation: string | null = null;

  readonly lexer: Lexer;
  readonly edition: Edition;
  readonly isLenient: boolean;

  constructor(lexer: Lexer, edition: Edition, isLenient: boolean) {
    this.lexer = lexer;
    this.edition = edition;
    this.isLenient = isLenient;
  }

  get usesEditions(): boolean {
    return this.edition === "2023" || this.edition === "2024";
  }

  /** Whether the token after the current one is this word. */
  nextIs(word: string): boolean {
    return this.ahead(() => this.lexer.is(word));
  }

  /** Looks ahead at the tokens after the current one and returns to it. */
  ahead<T>(look: () => T): T {
    const { lexer } = this;
    const { start, previousEnd } = lexer;
    lexer.advance();
    const result = look();
    lexer.rewind(start, previousEnd);
    return result;
  }

  /** Consumes `export` or `local` before a type; its comment is kept for the type. */
  visibility(): Visibility {
    const { lexer } = this;
    this.#documentation = lexer.leadingComment();
    const word = lexer.is("export") ? "export" : lexer.is("local") ? "local" : null;
    if (word === null || !this.ahead(() => this.#isTypeDeclaration())) return null;
    if (this.edition !== "2024" && !this.isLenient) {
      throw new ProtoTextError("edition_feature", `"${word}" needs edition 2024.`, lexer.start);
    }
    lexer.advance();
    return word;
  }

  /** The comment before the declaration that starts here, or before its visibility. */
  takeDocumentation(): string | null {
    const documentation = this.#documentation ?? this.lexer.leadingComment();
    this.#documentation = null;
    return documentation;
  }

  integer(what: string, min: number, max: number): number {
    const { lexer } = this;
    const { start } = lexer;
    const isNegative = lexer.take("-");
    if (lexer.kind !== "integer") lexer.fail(`Expected ${what}`);
    const { word } = lexer;
    const magnitude = /^0[0-7]/.test(word) ? Number.parseInt(word, 8) : Number(word);
    lexer.advance();
    const value = isNegative && magnitude !== 0 ? -magnitude : magnitude;
    if (value < min || value > max) {
      throw new ProtoTextError("number_out_of_range", `Expected ${what} from ${min} to ${max}.`, start);
    }
    return value;
  }

  refuse(rule: string, message: string, offset: number): void {
    if (!this.isLenient) throw new ProtoTextError(rule, message, offset);
  }

  #isTypeDeclaration(): boolean {
    const { lexer } = this;
    if (!lexer.take("message") && !lexer.take("enum")) return false;
    return lexer.kind === "identifier";
  }
}
