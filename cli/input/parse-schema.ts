/** From a schema's text to the model that is compared. */
import type { FormatName, ResolvedReference, SchemaSource } from "../../schema/format.ts";
import { formatNamed } from "../../schema/formats.ts";
import { UsageError } from "../usage-error.ts";
import type { SchemaText } from "./schema-text.ts";

export type Schema = SchemaText & { model: unknown };

/** Every reference is available to every text by name, as in a registry. */
export function parseSchema(input: SchemaText, offered: readonly ResolvedReference[] = []): Schema {
  const source: SchemaSource = { text: input.text, references: [...input.references, ...offered] };
  const parsed = formatNamed(input.format).parse(source, { strictness: "new", defaultDialect: "2020-12" });
  if (!parsed.ok) {
    const lines = parsed.refusal.problems.map(({ message, line, column, pointer }) => {
      const at = pointer === undefined ? undefined : input.locate(pointer);
      const place = at
        ? `:${at.line}:${at.column}`
        : line === undefined
          ? pointer
            ? `:${pointer}`
            : ""
          : `:${line}:${column}`;
      return `${input.place}${place}: ${message}`;
    });
    throw new UsageError(lines.join("\n"));
  }
  const warnings = parsed.value.warnings.map(
    ({ message, pointer }) => `${input.place}${pointer ? ` at ${pointer}` : ""}: ${message}`,
  );
  return { ...input, model: parsed.value.model, notes: [...input.notes, ...warnings] };
}

export function requireOneFormat(
  a: { place: string; format: FormatName },
  b: { place: string; format: FormatName },
): void {
  if (a.format === b.format) return;
  throw new UsageError(`${a.place} is ${a.format} and ${b.place} is ${b.format}; one subject holds one format.`);
}
