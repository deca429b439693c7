/** Reads field defaults, and checks them once all types are known. */
import type { JsonNode } from "../../json-text.ts";
import type { AvroField, AvroType } from "../model.ts";
import { writeJavaDouble } from "../text/java-number.ts";
import { DefaultChecker, MAX_DEFAULT_STEPS, parseQuotedDouble } from "./default-value.ts";
import { type ProblemLog, quote, TooComplexError } from "./problems.ts";

export type PendingDefault = { field: AvroField; node: JsonNode; pointer: string };

/** Logs every default that does not fit its type or contains itself. */
export function checkDefaults(defaults: readonly PendingDefault[], log: ProblemLog): void {
  const containing = new Map<AvroField, AvroField[]>();
  let contained: AvroField[] = [];
  const checker = new DefaultChecker((field) => {
    // Defaults of simple types cannot contain other defaults.
    if (!("ordinals" in field.type || "logicalType" in field.type)) contained.push(field);
  });
  for (const { field, node, pointer } of defaults) {
    contained = [];
    const problem = checker.find(field.type, node, pointer);
    if (checker.isExhausted) {
      throw new TooComplexError({
        rule: "defaults_too_complex",
        message: `Checking the defaults takes more than ${MAX_DEFAULT_STEPS} steps, because large records are used by too many defaults.`,
        pointer,
      });
    }
    if (problem) {
      const message = `Field ${quote(field.name)} has an invalid default. ${problem.message}`;
      log.problem("invalid_default", message, problem.node, problem.pointer);
    } else if (contained.length > 0) containing.set(field, contained);
  }
  const endless = fieldsOnCycles(containing);
  for (const { field, node, pointer } of defaults) {
    if (!endless.has(field)) continue;
    const message = `The default of field ${quote(field.name)} contains itself, through the defaults of fields that it leaves out.`;
    log.problem("invalid_default", message, node, pointer);
  }
}

/** The fields whose default contains itself, directly or through another. */
function fieldsOnCycles(containing: ReadonlyMap<AvroField, readonly AvroField[]>): Set<AvroField> {
  const left = new Map<AvroField, number>();
  const usedBy = new Map<AvroField, AvroField[]>();
  for (const [field, contained] of containing) {
    const open = contained.filter((inner) => containing.has(inner));
    left.set(field, open.length);
    for (const inner of open) {
      const users = usedBy.get(inner);
      if (users === undefined) usedBy.set(inner, [field]);
      else users.push(field);
    }
  }
  const settled = [...left.keys()].filter((field) => left.get(field) === 0);
  for (let field = settled.pop(); field !== undefined; field = settled.pop()) {
    left.delete(field);
    for (const user of usedBy.get(field) ?? []) {
      const open = left.get(user)! - 1;
      left.set(user, open);
      if (open === 0) settled.push(user);
    }
  }
  return new Set(left.keys());
}

/** Normalises a default: as in Java, a quoted number for a floating-point field is that number. */
export function asDefault(type: AvroType, node: JsonNode): JsonNode {
  if (node.type !== "string" || (type.kind !== "float" && type.kind !== "double")) return node;
  const value = parseQuotedDouble(node.value);
  return value === null ? node : { type: "number", start: node.start, text: writeJavaDouble(value), value };
}
