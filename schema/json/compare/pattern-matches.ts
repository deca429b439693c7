/** Which names and strings a schema's patterns match, within one budget for a whole comparison. */
import { type CompiledPattern, compilePattern, type WorkBudget } from "../patterns";
import { MAX_PATTERN_WORK } from "./bounds";

export class PatternMatches {
  readonly #compiled = new Map<string, CompiledPattern>();
  readonly #known = new Map<string, boolean | undefined>();
  readonly #budget: WorkBudget = { remaining: MAX_PATTERN_WORK };

  /** Whether the pattern matches somewhere in the text; undefined where that cannot be known or costs too much. */
  matches(pattern: string, text: string): boolean | undefined {
    const key = `${pattern.length}:${pattern}${text}`;
    if (this.#known.has(key)) return this.#known.get(key);
    let compiled = this.#compiled.get(pattern);
    if (compiled === undefined) {
      compiled = compilePattern(pattern);
      this.#compiled.set(pattern, compiled);
    }
    const answer = compiled.ok && this.#budget.remaining > 0 ? compiled.pattern.matches(text, this.#budget) : undefined;
    this.#known.set(key, answer);
    return answer;
  }
}
