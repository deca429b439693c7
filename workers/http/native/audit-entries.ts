/** `/audit/entries`: who made which changes, and who was denied access. */
import type { DenialPlace } from "../../../db/denials.ts";
import type { AuditEntry, AuditFilter } from "../../../registry/audit.ts";
import { timestamp } from "../../../registry/record-view.ts";
import { deniedJson } from "../../access-record/batches.ts";
import type { Edge } from "../../edge.ts";
import { readDenied } from "../../registry/audit/denied.ts";
import { readAuditEntries } from "../../registry/audit/entries.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { refusing, requireValue } from "../errors.ts";
import type { NativeRequest } from "./request.ts";

export async function getAuditEntries({ edge, query }: NativeRequest): Promise<Answer> {
  const asked = { filter: auditFilter(query), after: query.after as number, limit: query.limit as number };
  const { asOf, value } = requireValue(await readAuditEntries(edge, asked));
  const { entries, through, more } = value;
  const page = { items: entries.map(entryJson), next_after: through, more };
  const included = query.include === undefined ? {} : { denied: await deniedPage(edge, query, asked) };
  return jsonAnswer(200, { ...page, ...included }, provenance(asOf, "primary"));
}

async function deniedPage(
  edge: Edge,
  query: NativeRequest["query"],
  { filter, limit }: { filter: AuditFilter; limit: number },
) {
  const after = deniedPlace(query.denied_after as string | undefined);
  const { denials, next } = requireValue(await readDenied(edge, { filter, after, limit }));
  return { items: denials.map(deniedJson), next_after: next === undefined ? null : `${next.minuteMs}-${next.key}` };
}

function deniedPlace(text: string | undefined): DenialPlace | undefined {
  if (text === undefined) return undefined;
  const [, minuteMs, key] = /^(\d{1,15})-([0-9a-f]{32})$/.exec(text) ?? [];
  if (minuteMs !== undefined && key !== undefined && Number(minuteMs) <= LAST_TIME_MS) {
    return { minuteMs: Number(minuteMs), key };
  }
  const message = `Query parameter "denied_after" must be a next_after of denied attempts, got "${text}".`;
  throw refusing("BAD_REQUEST", message, { items: [{ rule: "denied_after", message }] });
}

export function entryJson({ seq, atMs, type, actor, subject, requestId, changeSet, payloadDeleted }: AuditEntry) {
  return {
    seq,
    at: timestamp(atMs),
    type,
    actor,
    subject,
    request_id: requestId,
    change_set: changeSet,
    payload_deleted: payloadDeleted,
  };
}

export function auditFilter(query: NativeRequest["query"]): AuditFilter {
  const text = (name: string) => textOf(name, query[name] as string | undefined);
  const [actor, subject, type, changeSet] = [text("actor"), text("subject"), text("type"), text("change_set")];
  const [fromMs, untilMs] = [parseTime("from", text("from")), parseTime("until", text("until"))];
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(subject === undefined ? {} : { subject }),
    ...(type === undefined ? {} : { types: type.split(",") }),
    ...(changeSet === undefined ? {} : { changeSet }),
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
  };
}

/** A parameter that is compared with texts in Postgres, which cannot hold U+0000. */
function textOf(name: string, text: string | undefined): string | undefined {
  if (!text?.includes("\u0000")) return text;
  const message = `Query parameter "${name}" must not contain the character U+0000.`;
  throw refusing("BAD_REQUEST", message, { items: [{ rule: name, message }] });
}

/** The range of RFC 3339 without the year 0, which Postgres does not know; an offset can lead out of it. */
const FIRST_TIME_MS = Date.parse("0001-01-01T00:00:00.000Z");
const LAST_TIME_MS = Date.parse("9999-12-31T23:59:59.999Z");

const RFC_3339 = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/;

function parseTime(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const atMs = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  if (atMs >= FIRST_TIME_MS && atMs <= LAST_TIME_MS) return atMs;
  const message = `Query parameter "${name}" must be a date or a time such as 2026-11-30T14:00:00Z, in the years 1 to 9999 of UTC, got "${text}".`;
  throw refusing("BAD_REQUEST", message, { items: [{ rule: name, message }] });
}
