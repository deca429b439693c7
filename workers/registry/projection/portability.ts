/** Which model providers accept a registered version: derived from its content, and kept in memory until the profiles change. */
import type { Refusal } from "../../../contract/errors.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { lintSchema, portabilityOf, type Readiness } from "../../../schema/projection/lint.ts";
import { profileId } from "../../../schema/projection/profile.ts";
import { PROFILES } from "../../../schema/projection/profiles.ts";
import { ok, type Result } from "../../../schema/result.ts";
import type { Edge } from "../../edge.ts";
import { giveTurn } from "../turns.ts";
import { readProjectable } from "./projectable.ts";

type Portability = Readonly<Record<string, Readiness>>;

/** What a summary depends on beside the content: a profile gets a new date when it changes. */
const PROFILE_SET = PROFILES.map(profileId).join(",");

/** Null for formats that model providers do not take. */
export async function readPortability(
  edge: Edge,
  { id, contentHash, dialect, context, format, references }: SchemaRecord,
): Promise<Result<Portability | null, Refusal>> {
  if (format !== "json-schema") return ok(null);
  const key = `portability/${contentHash}/${dialect}/${context}/${PROFILE_SET}`;
  const known = references.length === 0 ? (edge.cache.get(key) as Portability | undefined) : undefined;
  if (known !== undefined) return ok(known);
  const read = await readProjectable(edge, { id }, context);
  if (!read.ok) return read;
  const reports = [];
  for (const profile of PROFILES) {
    reports.push(...lintSchema(read.value.model, [profile]));
    await giveTurn();
  }
  const portability = portabilityOf(reports);
  // What references resolve to may change, so only a schema without any is remembered.
  if (references.length === 0) edge.cache.put(key, portability, 2 * JSON.stringify(portability).length);
  return ok(portability);
}
