/**
 * Lints stored versions again after the profiles have changed, and reports the results to the tenant's webhooks, which
 * send a notice for each difference. Only for tenants with an endpoint that receives these notices: other tenants get
 * current verdicts on request.
 */
import { openPrimary } from "../../durable-objects/primary/client.ts";
import type { LintedVersion, PortabilityCheckpoint, Webhooks } from "../../durable-objects/webhooks/rpc.ts";
import { errorFields, logLine } from "../../observe/log-line.ts";
import type { SchemaRecord } from "../../registry/record.ts";
import { PROTOCOL_VERSION } from "../../registry/rpc.ts";
import type { JsonSchemaModel } from "../../schema/json/model.ts";
import type { Profile } from "../../schema/projection/profile.ts";
import { PROFILES } from "../../schema/projection/profiles.ts";
import { printSubjectName } from "../../schema/subject-name.ts";
import type { Bindings } from "../edge.ts";
import { ReadCache } from "../read-path/cache.ts";
import { openWebhooks } from "../registry/follow/followers.ts";
import { derivePortability, printProfileSet } from "../registry/projection/portability.ts";
import { RequestWork } from "../registry/turns.ts";
import { loadTexts } from "../registry/write/facts.ts";
import { knownTenants } from "../tenants.ts";
import { ModelCache } from "../validation/model-cache.ts";
import { openTarget, type TargetSource } from "../validation/targets.ts";

/** Versions that one run reads, of all tenants: at a hundredth of a second each, five of the 30 s of CPU of a run. */
const MAX_LINTED_VERSIONS = 500;
/** The versions of one tenant among them, so that a large one delays the others little. */
const MAX_LINTED_VERSIONS_OF_TENANT = 200;
/** A checkpoint is stored after so many. */
const VERSIONS_PER_PAGE = 25;
/** Memory for texts that are references of several versions. */
const MAX_KEPT_TEXT_BYTES = 2 * 1024 * 1024;
const CRON_INTERVAL_MS = 5 * 60 * 1_000;

type Options = { profiles?: readonly Profile[]; maxVersions?: number; maxVersionsOfTenant?: number };

/** Throws after all tenants were tried if any failed. */
export async function lintAgain(env: Bindings, nowMs: number, options: Options = {}): Promise<void> {
  const { profiles = PROFILES } = options;
  const { maxVersions = MAX_LINTED_VERSIONS, maxVersionsOfTenant = MAX_LINTED_VERSIONS_OF_TENANT } = options;
  let left = maxVersions;
  let failed = 0;
  for (const tenant of inTurn(await knownTenants(env), nowMs)) {
    if (left <= 0) break;
    try {
      left -= await lintTenant(env, tenant, { nowMs, profiles, maxVersions: Math.min(left, maxVersionsOfTenant) });
    } catch (error) {
      failed += 1;
      logLine("error", "A tenant's versions could not be linted again.", { tenant, ...errorFields(error) });
    }
  }
  if (failed > 0) throw new Error(`The versions of ${failed} tenants could not be linted again.`);
}

/** Each run starts with another tenant, so that the bound does not always cut off the same ones. */
function inTurn(tenants: readonly string[], nowMs: number): readonly string[] {
  const first = Math.floor(nowMs / CRON_INTERVAL_MS) % Math.max(1, tenants.length);
  return [...tenants.slice(first), ...tenants.slice(0, first)];
}

type TenantRun = { nowMs: number; profiles: readonly Profile[]; maxVersions: number };

/** Returns how many versions were read. */
async function lintTenant(env: Bindings, tenant: string, run: TenantRun): Promise<number> {
  const { nowMs, profiles, maxVersions } = run;
  const webhooks = openWebhooks(env, tenant);
  let from = await webhooks.portabilityCheckpoint({ v: PROTOCOL_VERSION });
  if (from === null) return 0;
  const current = printProfileSet(profiles);
  const kept = { cache: new ReadCache(MAX_KEPT_TEXT_BYTES).of(tenant), models: new ModelCache<unknown>(0) };
  let read = 0;
  while (read < maxVersions) {
    const after: number = from.profiles === current ? from.afterRecordKey : 0;
    const limit = Math.min(VERSIONS_PER_PAGE, maxVersions - read);
    const answer = await openPrimary(env, tenant).read("copyRecords", { after, limit });
    if (!answer.ok) throw new Error(answer.refusal.detail);
    const { records, more } = answer.value.value;
    const last = records.at(-1);
    if (last === undefined) return read;
    const linted: LintedVersion[] = [];
    for (const record of records) {
      // A client for each version: the deadline of one is for all its calls together.
      const source = {
        env,
        tenant,
        ...kept,
        primary: openPrimary(env, tenant),
        work: new RequestWork(),
        now: () => nowMs,
      };
      const version = await lintVersion(source, record, profiles);
      if (version !== undefined) linted.push(version);
    }
    const to: PortabilityCheckpoint = { profiles: current, afterRecordKey: last.recordKey };
    if (!(await report(webhooks, { from, to, linted }))) return read;
    read += records.length;
    from = to;
    if (!more) return read;
  }
  return read;
}

function report(webhooks: Webhooks, moved: Omit<Parameters<Webhooks["reportPortability"]>[0], "v">): Promise<boolean> {
  return webhooks.reportPortability({ v: PROTOCOL_VERSION, ...moved });
}

/** Undefined for what is not linted: other formats, deleted versions, and texts that can no longer be read. */
async function lintVersion(
  source: TargetSource,
  record: SchemaRecord,
  profiles: readonly Profile[],
): Promise<LintedVersion | undefined> {
  if (record.format !== "json-schema" || record.deleted) return undefined;
  const text = (await loadTexts(source, [record.contentHash])).get(record.contentHash)?.text;
  const target = text === undefined ? undefined : await openTarget(source, { ...record, text });
  if (!target?.ok) return undefined;
  const portability = await derivePortability(target.value.model as JsonSchemaModel, profiles);
  return { recordId: record.id, subject: printSubjectName(record), portability };
}
