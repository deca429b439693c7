/** Proposes a row schema that accepts the drifted structure: new columns, wider types, new nulls. */
import { type JsonObject, toPlainValue } from "../json-text.ts";
import type { ColumnDrift, Sketch } from "./sketch.ts";

type PlainSchema = {
  type?: unknown;
  properties?: Record<string, unknown>;
  required?: string[];
  [keyword: string]: unknown;
};

/** Undefined if the structure has not drifted, or the row is not an inline schema with properties. */
export function proposeRow(root: JsonObject, drifts: readonly ColumnDrift[], after: Sketch): PlainSchema | undefined {
  const drifted = drifts.filter(({ structure }) => structure.some((each) => each !== "values"));
  const node = root.members.get("row");
  if (drifted.length === 0 || node?.type !== "object" || node.members.get("properties")?.type !== "object")
    return undefined;
  const row = toPlainValue(node) as PlainSchema;
  const properties = new Map(Object.entries(row.properties ?? {}));
  const required = new Set(row.required ?? []);
  for (const { column, structure } of drifted) {
    const sketch = Object.hasOwn(after.columns, column) ? after.columns[column] : undefined;
    if (structure.includes("removed") || sketch === undefined || sketch.nulls > 0) required.delete(column);
    if (sketch === undefined) continue;
    const seen = Object.keys(sketch.types).filter((type) => sketch.types[type]! > 0);
    const known = properties.get(column);
    const declared = typesOf(known);
    const types = [...new Set([...declared, ...seen, ...(sketch.nulls > 0 ? ["null"] : [])])].filter(
      (type, _, all) => type !== "integer" || !all.includes("number"),
    );
    const schema = typeof known === "object" && known !== null ? known : {};
    properties.set(column, { ...schema, type: types.length === 1 ? types[0] : types });
    if (structure.includes("added") && sketch.nulls === 0) required.add(column);
  }
  return { ...row, properties: Object.fromEntries(properties), required: [...required] };
}

function typesOf(schema: unknown): string[] {
  const { type } = (typeof schema === "object" && schema !== null ? schema : {}) as { type?: string | string[] };
  return type === undefined ? [] : Array.isArray(type) ? type : [type];
}
