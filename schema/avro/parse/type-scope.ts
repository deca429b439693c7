/** The named types visible to a text: those of its references, and its own once defined. */
import type { JsonNode } from "../../json-text.ts";
import type { AvroNamedType } from "../model.ts";
import { lookUpName } from "../names.ts";
import { sameDefinition } from "../text/equivalence.ts";
import { type ProblemLog, quote, TooComplexError } from "./problems.ts";

/** Far above any known schema with all its references, and still walked within milliseconds. */
export const MAX_NAMED_TYPES = 20_000;

export class TypeScope {
  readonly #types: Map<string, AvroNamedType>;
  readonly #log: ProblemLog;
  readonly #isNew: boolean;

  constructor(types: Map<string, AvroNamedType>, log: ProblemLog, isNew: boolean) {
    this.#types = types;
    this.#log = log;
    this.#isNew = isNew;
  }

  lookUp(name: string, namespace: string): AvroNamedType | undefined {
    return lookUpName(this.#types, name, namespace);
  }

  /** Registers a type under its name before its parts are parsed. Returns an earlier type of that name, if any. */
  define(type: AvroNamedType, node: JsonNode, pointer: string): AvroNamedType | undefined {
    const { full, simple } = type.name;
    // A missing name has been reported already; two of them are not duplicates.
    if (simple === "" && this.#isNew) return undefined;
    const existing = this.#types.get(full);
    if (existing !== undefined && this.#isNew) {
      const message = `Type ${quote(full)} is already defined; use it by its name.`;
      this.#log.problem("redefined_name", message, node, pointer);
    }
    if (existing === undefined || this.#isNew) this.#types.set(full, type);
    if (this.#types.size > MAX_NAMED_TYPES) {
      throw new TooComplexError({
        rule: "too_many_types",
        message: `The schema and what it references define more than ${MAX_NAMED_TYPES} named types.`,
        pointer,
      });
    }
    return existing;
  }

  /** Accepts an identical redefinition in stored texts, as newer Avro versions do. */
  settle(existing: AvroNamedType | undefined, type: AvroNamedType, node: JsonNode, pointer: string): AvroNamedType {
    if (existing === undefined || this.#isNew) return type;
    if (sameDefinition(existing, type)) return existing;
    const message = `Type ${quote(type.name.full)} is already defined, and differently.`;
    this.#log.problem("redefined_name", message, node, pointer);
    return type;
  }
}
