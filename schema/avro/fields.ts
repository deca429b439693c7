/** Every field of a schema with its path, for search and lineage. */
import type { SchemaField } from "../format.ts";
import { type AvroModel, type AvroNamedType, type AvroRecord, type AvroType, isNamed, typeName } from "./model.ts";

/** A type used in many places has its fields under many paths; past these bounds, more paths add nothing useful. */
export const MAX_FIELDS = 10_000;
export const MAX_FIELD_DEPTH = 32;
const MAX_STEPS = 100_000;
/** Total characters of paths, types and documentation: a long name is repeated in every path below it. */
const MAX_CHARACTERS = 4 * 2 ** 20;
const MAX_TYPE_CHARACTERS = 200;

/** The fields in order, parents before children. A recursive record is entered once per path. */
export function listFields(model: AvroModel): SchemaField[] {
  const fields: SchemaField[] = [];
  const entered = new Set<AvroNamedType>();
  let steps = 0;
  let characters = 0;
  const isFull = () => fields.length >= MAX_FIELDS || characters > MAX_CHARACTERS;

  const walk = (type: AvroType, path: string, depth: number): void => {
    steps += 1;
    if (depth > MAX_FIELD_DEPTH || steps > MAX_STEPS || isFull()) return;
    switch (type.kind) {
      case "record":
        if (entered.has(type)) return;
        entered.add(type);
        for (const field of type.fields) {
          if (isFull()) break;
          const fieldPath = path === "" ? field.name : `${path}.${field.name}`;
          const documentation = field.documentation ?? (isNamed(field.type) ? field.type.documentation : null);
          const described = { path: fieldPath, type: describeType(field.type), documentation };
          characters += fieldPath.length + described.type.length + (documentation?.length ?? 0);
          fields.push({ ...described, required: field.defaultValue === null });
          walk(field.type, fieldPath, depth + 1);
        }
        entered.delete(type);
        return;
      case "array":
        walk(type.items, `${path}[]`, depth + 1);
        return;
      case "map":
        walk(type.values, `${path}{}`, depth + 1);
        return;
      case "union":
        for (const branch of type.branches) walk(branch, path, depth + 1);
    }
  };
  walk(model.root, "", 0);
  return fields;
}

/** The field names of the root record, or of every record if the root is a union. */
export function listTopLevelNames(model: AvroModel): string[] {
  const branches = model.root.kind === "union" ? model.root.branches : [model.root];
  const records = branches.filter((branch): branch is AvroRecord => branch.kind === "record");
  return [...new Set(records.flatMap((record) => record.fields.map((field) => field.name)))];
}

function describeType(type: AvroType): string {
  if (type.kind !== "union") return typeName(type);
  let text = "";
  for (const branch of type.branches) {
    text += `${text === "" ? "" : ","}${JSON.stringify(typeName(branch))}`;
    if (text.length > MAX_TYPE_CHARACTERS) return `[${text.slice(0, MAX_TYPE_CHARACTERS)}…]`;
  }
  return `[${text}]`;
}
