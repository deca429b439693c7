/** Whether a text is a valid schema, without registering it. */

import type { Refusal } from "../../../contract/errors.ts";
import { makeRefusal } from "../../../contract/errors.ts";
import { NATIVE_HASHES } from "../../../registry/native-hashes.ts";
import type { RequestedReference } from "../../../registry/record.ts";
import { sha256Hex } from "../../../schema/content-hash.ts";
import type { FormatName, JsonDialect, SchemaProblem } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { Edge } from "../../edge.ts";
import { NATIVE_DIALECT } from "../native-dialect.ts";
import { parseContext } from "../read/subject-names.ts";
import { parseWithReferences } from "../write/facts.ts";

type SchemaToCheck = {
  format: FormatName;
  text: string;
  references: readonly RequestedReference[];
  dialect: JsonDialect | undefined;
  context: string | undefined;
};

type SchemaCheck =
  | { valid: true; warnings: readonly SchemaProblem[]; canonicalText: string; fingerprint: string }
  | { valid: false; errors: readonly SchemaProblem[] };

export async function checkSchema(edge: Edge, schema: SchemaToCheck): Promise<Result<SchemaCheck, Refusal>> {
  const { format, text, references } = schema;
  const context = parseContext(schema.context);
  if (!context.ok) return context;
  const read = await parseWithReferences(edge, {
    name: { context: context.value },
    format,
    text,
    references,
    deleted: false,
    strictness: "new",
    defaultDialect: schema.dialect ?? NATIVE_DIALECT,
  });
  if (!read.ok) {
    if (read.refusal.error !== "INVALID_SCHEMA") return read;
    return ok({
      valid: false,
      errors: (read.refusal.items ?? []).map(({ rule = "invalid", ...item }) => ({ rule, ...item })),
    });
  }
  const { parsed } = read.value;
  if (parsed.ok) {
    const canonicalText = formatNamed(format).canonicalText(parsed.value.model);
    return ok({
      valid: true,
      warnings: parsed.value.warnings,
      canonicalText,
      fingerprint: sha256Hex(canonicalText, NATIVE_HASHES),
    });
  }
  // A text that exceeds a limit is not necessarily invalid.
  if (parsed.refusal.reason === "too_complex") return refuse(tooComplex(parsed.refusal.problems));
  return ok({ valid: false, errors: parsed.refusal.problems });
}

/** The refusal of a text that exceeds a limit of its parser. */
export function tooComplex(problems: readonly SchemaProblem[]): Refusal {
  const detail = problems[0]?.message ?? "The schema is too complex.";
  return makeRefusal("TOO_COMPLEX", [detail], detail, { items: problems });
}

/** The refusal of a text that is not a valid schema. */
export function invalidSchema(problems: readonly SchemaProblem[]): Refusal {
  const detail = problems[0]?.message ?? "The schema is invalid.";
  return makeRefusal("INVALID_SCHEMA", [detail], detail, { items: problems });
}
