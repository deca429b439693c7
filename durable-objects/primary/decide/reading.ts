/**
 * Reads the text of a registration, lookup or check, with its references resolved in the current state: the first step
 * of all three.
 */

import { NATIVE_HASHES } from "../../../registry/native-hashes.ts";
import type { RequestedReference } from "../../../registry/record.ts";
import { sha256Hex } from "../../../schema/content-hash.ts";
import type { ParsedText, ReadingRequest } from "../../../schema/facts.ts";
import type { FormatName, JsonDialect, Strictness } from "../../../schema/format.ts";
import { ok } from "../../../schema/result.ts";
import { type Deciding, type DecisionStep, readingFor, refused } from "./decision.ts";
import { type ResolvedReferences, resolveReferences } from "./references.ts";

export type TextToRead = {
  format: FormatName;
  text: string;
  references: readonly RequestedReference[];
  dialect: JsonDialect;
  strictness: Strictness;
  validateFields: boolean;
  normalise: boolean;
  /** Whether references may name soft-deleted versions. */
  deleted: boolean;
};

type ReadText = { type: "read"; reading: ParsedText; references: ResolvedReferences };

/** References are resolved as for a subject in `context`. */
export function readSchemaText(deciding: Deciding, context: string, asked: TextToRead): DecisionStep<ReadText> {
  const { format, text, dialect, strictness, validateFields, normalise, deleted } = asked;
  const references = resolveReferences(deciding.state, context, asked.references, {
    normalise,
    deleted,
    newFormat: deleted ? undefined : format,
  });
  if (!references.ok) return references;
  const request: ReadingRequest = {
    format,
    rawTextHash: sha256Hex(text, NATIVE_HASHES),
    references: references.value.closures.map(({ hash }, index) => ({
      name: references.value.resolved[index]!.name,
      closure: hash,
    })),
    strictness,
    dialect,
    validateFields,
    normalise,
  };
  const { key, reading } = readingFor(deciding, request);
  if (!reading) {
    const { resolved, closures } = references.value;
    return ok({ type: "needs", needs: [{ type: "reading", key, request, references: resolved, closures }] });
  }
  if (reading.ok) return ok({ type: "read", reading: reading.value, references: references.value });
  const detail = reading.refusal.problems[0]?.message ?? "The schema is invalid.";
  return refused(
    reading.refusal.reason === "too_complex" ? "TOO_COMPLEX" : "INVALID_SCHEMA",
    [`Invalid schema of type ${deciding.formatOf(format).schemaType ?? format}, details: ${detail}`],
    detail,
    { items: reading.refusal.problems },
  );
}
