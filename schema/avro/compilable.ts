/**
 * Selects the schemas that a compiler reads exactly like the interpreter, in bounded time: those without recursion, in
 * which every item of an array takes at least a byte.
 */
import { type AvroModel, type AvroType, findLogicalType, isNamed } from "./model.ts";
import { resolvedText } from "./text/canonical.ts";

/** Maximum number of types, each counted once per place. */
const MAX_COMPILED_TYPES = 2_000;

type CompilableAvro = { schema: unknown; form: "value" | "bytes"; valuesPerCharacter: number };

/** The schema without references, or undefined if only the interpreter can decide. */
export function compilableAvro(model: AvroModel, form: "value" | "bytes"): CompilableAvro | undefined {
  const seen = { types: 0 };
  if (!isCompilable(model.root, form, [], seen)) return undefined;
  return { schema: JSON.parse(resolvedText(model)), form, valuesPerCharacter: seen.types };
}

/** `path` contains the types around this one. */
function isCompilable(
  type: AvroType,
  form: "value" | "bytes",
  path: readonly AvroType[],
  seen: { types: number },
): boolean {
  seen.types += 1;
  if (seen.types > MAX_COMPILED_TYPES || path.includes(type)) return false;
  const isPart = (part: AvroType) => isCompilable(part, form, [...path, type], seen);
  // A violated logical type is a warning, and JSON writes bytes as text: both are the interpreter's to read.
  if (form === "value" && (findLogicalType(type) !== null || type.kind === "bytes" || type.kind === "fixed"))
    return false;
  switch (type.kind) {
    case "array":
      return mayBeEmpty(type.items, []) ? false : isPart(type.items);
    case "map":
      return isPart(type.values);
    case "union":
      return type.branches.every(isPart);
    case "record":
      return type.fields.every(({ name, type: part }) => name !== "__proto__" && isPart(part));
    default:
      return true;
  }
}

/** Whether a datum of the type may have zero bytes, so that a block may declare any number of them. */
function mayBeEmpty(type: AvroType, path: readonly AvroType[]): boolean {
  if (type.kind === "null") return true;
  if (type.kind === "fixed") return type.size === 0;
  if (!isNamed(type) || type.kind !== "record" || path.includes(type)) return false;
  return type.fields.every((field) => mayBeEmpty(field.type, [...path, type]));
}
