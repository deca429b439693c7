/**
 * The subjects that use a content, for callers whose grants do not cover its context. The content may be cached for an
 * hour; these uses for at most a minute, so that a changed grant, tag or state takes effect as soon as a changed key.
 */

import type { Refusal } from "../../contract/errors.ts";
import type { SchemaRecord } from "../../registry/record.ts";
import { ok, type Result } from "../../schema/result.ts";
import { type Access, toAccessTarget } from "../access/access.ts";
import type { AccessTarget } from "../access/conditions.ts";
import type { Edge } from "../edge.ts";
import type { ContentSelector } from "./content.ts";
import { ageMs, type Cached } from "./read-through.ts";

export const USES_FRESH_MS = 60 * 1_000;
/** Contents with more uses are not cached: the primary is called each time. */
export const MAX_KEPT_USES = 16;
/** Context, subject and tags of one use, in memory. */
const USE_BYTES = 1_024;

type Uses = readonly AccessTarget[] | "many";

/**
 * Whether the caller may read the content, if its grants or a recent response determine it; undefined: the primary must
 * decide.
 */
export function isKnownReadable(edge: Edge, selector: ContentSelector): boolean | undefined {
  const { access } = edge;
  if (access === undefined || covers(access, selector)) return true;
  const known = edge.cache.get(usesKey(selector)) as Cached<Uses> | undefined;
  if (known !== undefined && known.value !== "many" && ageMs(edge, known) <= USES_FRESH_MS) {
    return known.value.some((use) => access.allows("schema:read", use));
  }
  return undefined;
}

export async function mayReadContent(edge: Edge, selector: ContentSelector): Promise<Result<boolean, Refusal>> {
  const known = isKnownReadable(edge, selector);
  return known === undefined ? askForUses(edge, edge.access!, selector) : ok(known);
}

function covers(access: Access, selector: ContentSelector): boolean {
  return "context" in selector
    ? access.coversContext("schema:read", selector.context)
    : access.coversTenant("schema:read");
}

async function askForUses(edge: Edge, access: Access, selector: ContentSelector): Promise<Result<boolean, Refusal>> {
  const readAtMs = edge.now();
  const found = await readUses(edge, selector);
  if (!found.ok) return found;
  const { records, asOf } = found.value;
  const value: Uses = records.length > MAX_KEPT_USES ? "many" : records.map(toAccessTarget);
  const kept: Cached<Uses> = { readAtMs, asOf, value };
  edge.cache.put(usesKey(selector), kept, USE_BYTES * Math.min(records.length, MAX_KEPT_USES));
  if (records.some((record) => access.mayRead(record))) return ok(true);
  return found.value.isCut ? asksPrimary(edge, selector) : ok(false);
}

type Read = { records: readonly SchemaRecord[]; isCut: boolean; asOf: Cached<Uses>["asOf"] };

/** The first page of uses; beyond it the guarded primary decides. */
async function readUses({ tenantPrimary }: Edge, selector: ContentSelector): Promise<Result<Read, Refusal>> {
  if ("id" in selector) {
    const answer = await tenantPrimary.read("recordById", { id: selector.id, deleted: true });
    if (!answer.ok) return answer;
    return ok({
      records: answer.value.value === null ? [] : [answer.value.value],
      isCut: false,
      asOf: answer.value.asOf,
    });
  }
  if ("context" in selector) return readUsesOfId({ tenantPrimary }, selector);
  const ids = await tenantPrimary.read("idsOfGuid", { guid: selector.guid });
  if (!ids.ok) return ids;
  const records: SchemaRecord[] = [];
  let isCut = false;
  for (const { context, confluentId } of ids.value.value) {
    const uses = await readUsesOfId({ tenantPrimary }, { context, confluentId });
    if (!uses.ok) return uses;
    records.push(...uses.value.records);
    isCut ||= uses.value.isCut;
    if (records.length > MAX_KEPT_USES) return ok({ records, isCut: true, asOf: ids.value.asOf });
  }
  return ok({ records, isCut, asOf: ids.value.asOf });
}

async function readUsesOfId(
  { tenantPrimary }: Pick<Edge, "tenantPrimary">,
  { context, confluentId }: { context: string; confluentId: number },
): Promise<Result<Read, Refusal>> {
  const answer = await tenantPrimary.read("usesOfConfluentId", { context, confluentId, deleted: true });
  if (!answer.ok) return answer;
  const { records } = answer.value.value;
  return ok({ records, isCut: records.length > MAX_KEPT_USES, asOf: answer.value.asOf });
}

async function asksPrimary({ primary }: Edge, selector: ContentSelector): Promise<Result<boolean, Refusal>> {
  const answer = await primary.read("contentOf", selector);
  return !answer.ok ? answer : ok(answer.value.value !== null);
}

function usesKey(selector: ContentSelector): string {
  if ("id" in selector) return `uses/id/${selector.id}`;
  if ("guid" in selector) return `uses/guid/${selector.guid}`;
  return `uses/confluent/${selector.context}/${selector.confluentId}`;
}
