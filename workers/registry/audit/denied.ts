/** Denied attempts for auditors, from Postgres. */
import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import { DatabaseUnreachable } from "../../../db/client.ts";
import { type DenialFilter, type DenialPlace, readDenials } from "../../../db/denials.ts";
import type { AuditFilter } from "../../../registry/audit.ts";
import type { Denial } from "../../../registry/denial.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { Edge } from "../../edge.ts";

const DENIED_TYPE = "access.denied";
const RETRY_AFTER_SECONDS = 2;

/** Undefined if no denied attempt can pass the filter. */
function denialFilter({ actor, subject, types, fromMs, untilMs, changeSet }: AuditFilter): DenialFilter | undefined {
  if (changeSet !== undefined || types?.includes(DENIED_TYPE) === false) return undefined;
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(subject === undefined ? {} : { subject }),
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
  };
}

export async function readDenied(
  edge: Pick<Edge, "env" | "tenant">,
  asked: { filter: AuditFilter; after: DenialPlace | undefined; limit: number },
): Promise<Result<{ denials: Denial[]; next: DenialPlace | undefined }, Refusal>> {
  const filter = denialFilter(asked.filter);
  if (filter === undefined) return ok({ denials: [], next: undefined });
  try {
    return ok(await readDenials(edge.env, edge.tenant, { ...asked, filter }));
  } catch (error) {
    if (!(error instanceof DatabaseUnreachable)) throw error;
    if (error.reason === "not_configured") {
      const detail =
        "Denied attempts cannot be queried: this deployment has no Postgres (DATABASE_URL). Their signed batches are at /api/v1/audit/denied-batches.";
      return refuse(makeRefusal("NOT_CONFIGURED", [detail], detail));
    }
    const detail = "Denied attempts cannot be queried: Postgres is currently unreachable. Retry in a moment.";
    return refuse(makeRefusal("NOT_READY", [detail], detail, { retryAfterSeconds: RETRY_AFTER_SECONDS }));
  }
}
