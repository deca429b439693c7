/**
 * Which model providers accept a registered version: derived from its content by the first request for it, which is never
 * a write, and stored until the profiles change.
 */
import type { Refusal } from "../../../contract/errors.ts";
import { withinDeadline } from "../../../registry/deadline.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import type { JsonSchemaModel } from "../../../schema/json/model.ts";
import { lintSchema } from "../../../schema/projection/lint.ts";
import { type Portability, summarisePortability } from "../../../schema/projection/portability.ts";
import { type Profile, profileId } from "../../../schema/projection/profile.ts";
import { PROFILES } from "../../../schema/projection/profiles.ts";
import { ok, type Result } from "../../../schema/result.ts";
import type { Edge } from "../../edge.ts";
import { KV_DEADLINE_MS } from "../../read-path/read-through.ts";
import { openTarget } from "../../validation/targets.ts";
import { giveTurn } from "../turns.ts";

type StoredPortability = { profiles: string; portability: Portability };

/** What a summary depends on beside the content: a profile gets a new date when it changes. */
export function printProfileSet(profiles: readonly Profile[]): string {
  return profiles.map(profileId).join(",");
}

const PROFILE_SET = printProfileSet(PROFILES);

/** What was derived from a deleted content expires without being deleted. */
const STORED_SECONDS = 90 * 24 * 60 * 60;

/** Null for formats that model providers do not take. */
export async function readPortability(
  edge: Edge,
  record: SchemaRecord,
  text: string,
): Promise<Result<Portability | null, Refusal>> {
  if (record.format !== "json-schema") return ok(null);
  const target = await openTarget(edge, { ...record, text });
  if (!target.ok) return target;
  const key = portabilityKey(edge.tenant, target.value.closureKey, record.dialect);
  const known = (edge.cache.get(key) as StoredPortability | undefined) ?? (await readStored(edge, key));
  if (known?.profiles === PROFILE_SET) {
    edge.cache.put(key, known, 2 * JSON.stringify(known).length);
    return ok(known.portability);
  }
  const portability = await derivePortability(target.value.model as JsonSchemaModel, PROFILES);
  const stored: StoredPortability = { profiles: PROFILE_SET, portability };
  edge.cache.put(key, stored, 2 * JSON.stringify(stored).length);
  edge.waitUntil(writeStored(edge, key, stored).catch(() => undefined));
  return ok(stored.portability);
}

/** Of the closure, because what references resolve to may change. */
function portabilityKey(tenant: string, closureKey: string, dialect: string | null): string {
  return `portability/${tenant}/${closureKey}/${dialect}`;
}

/** Other requests get a turn after each profile. */
export async function derivePortability(model: JsonSchemaModel, profiles: readonly Profile[]): Promise<Portability> {
  const reports = [];
  for (const profile of profiles) {
    reports.push(...lintSchema(model, [profile]));
    await giveTurn();
  }
  return summarisePortability(reports);
}

/** Undefined if it is unknown, or the store fails or is late. */
async function readStored({ env }: Pick<Edge, "env">, key: string): Promise<StoredPortability | undefined> {
  try {
    const text = await withinDeadline(KV_DEADLINE_MS, env.CACHE.get(key, "text"), () => null);
    return text === null ? undefined : (JSON.parse(text) as StoredPortability);
  } catch {
    return undefined;
  }
}

function writeStored({ env }: Pick<Edge, "env">, key: string, stored: StoredPortability): Promise<void> {
  return env.CACHE.put(key, JSON.stringify(stored), { expirationTtl: STORED_SECONDS });
}
