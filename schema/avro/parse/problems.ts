/** Collects the problems and warnings of one text. */
import type { SchemaProblem } from "../../format.ts";
import { type JsonNode, positionAt } from "../../json-text.ts";
import { shorten } from "../names.ts";

/** Enough for fixing a schema; a hostile text could have one per byte. */
export const MAX_PROBLEMS = 100;

/** Thrown when parsing exceeds a bound. */
export class TooComplexError extends Error {
  readonly problem: SchemaProblem;

  constructor(problem: SchemaProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

export class ProblemLog {
  readonly problems: SchemaProblem[] = [];
  readonly warnings: SchemaProblem[] = [];
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  problem(rule: string, message: string, node: JsonNode, pointer: string): void {
    this.#add(this.problems, rule, message, node, pointer);
  }

  warning(rule: string, message: string, node: JsonNode, pointer: string): void {
    this.#add(this.warnings, rule, message, node, pointer);
  }

  #add(list: SchemaProblem[], rule: string, message: string, node: JsonNode, pointer: string): void {
    if (list.length >= MAX_PROBLEMS) return;
    list.push({ rule, message, pointer, ...positionAt(this.#text, node.start) });
  }
}

export function quote(name: string): string {
  return JSON.stringify(shorten(name));
}
