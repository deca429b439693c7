/**
 * `/audit/entries` and `/audit/export`: who made which changes, page by page or as one stream of JSON lines or CSV.
 */
import { errorFields, logLine } from "../../../observe/log-line.ts";
import type { AuditEntry, AuditFilter } from "../../../registry/audit.ts";
import { timestamp } from "../../../registry/record-view.ts";
import type { Edge } from "../../edge.ts";
import { printCsvRow } from "../../registry/audit/csv.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { refusing, requireValue } from "../errors.ts";
import type { NativeRequest } from "./request.ts";

/** Entries of one page of an export. */
const EXPORT_PAGE = 500;

export async function getAuditEntries({ edge, query }: NativeRequest): Promise<Answer> {
  const asked = { filter: filterOf(query), after: query.after as number, limit: query.limit as number };
  const { asOf, value } = requireValue(await edge.primary.read("auditEntries", asked));
  const { entries, through, more } = value;
  return jsonAnswer(200, { items: entries.map(entryJson), next_after: through, more }, provenance(asOf, "primary"));
}

/** The first page is read before the response begins, so that refusals have a status. */
export async function exportAuditEntries({ edge, query, caller }: NativeRequest): Promise<Answer> {
  const isCsv = query.format === "csv";
  const pages = readPages(edge, filterOf(query));
  const first = await pages.next();
  const { asOf } = first.value!;
  return {
    status: 200,
    headers: {
      ...provenance(asOf, "primary"),
      "Content-Type": isCsv ? "text/csv; charset=utf-8" : "application/x-ndjson",
      "Content-Disposition": `attachment; filename="audit.${isCsv ? "csv" : "ndjson"}"`,
    },
    body: linesOf(first.value!.entries, pages, isCsv, caller.requestId),
  };
}

async function* readPages(edge: Edge, filter: AuditFilter) {
  for (let after = 0; ; ) {
    const { asOf, value } = requireValue(
      await edge.primary.read("auditEntries", { filter, after, limit: EXPORT_PAGE }),
    );
    yield { asOf, entries: value.entries };
    if (!value.more) return;
    after = value.through;
  }
}

/**
 * Pulled by the client: nothing is read ahead. An export that fails midway aborts the stream, so that it is not
 * mistaken for a complete one.
 */
function linesOf(
  first: readonly AuditEntry[],
  pages: ReturnType<typeof readPages>,
  isCsv: boolean,
  requestId: string,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const print = (entries: readonly AuditEntry[]) =>
    entries.map((entry) => (isCsv ? csvRow(entry) : `${JSON.stringify(entryJson(entry))}\n`)).join("");
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode((isCsv ? printCsvRow(COLUMNS) : "") + print(first)));
    },
    async pull(controller) {
      try {
        const { done, value } = await pages.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(print(value.entries)));
      } catch (error) {
        logLine("error", "An export of the audit trail failed", { request_id: requestId, ...errorFields(error) });
        controller.error(error);
      }
    },
    async cancel() {
      await pages.return(undefined);
    },
  });
}

const COLUMNS = ["seq", "at", "type", "actor", "subject", "request_id", "change_set", "payload_deleted"] as const;

function csvRow(entry: AuditEntry): string {
  const json = entryJson(entry);
  return printCsvRow(COLUMNS.map((column) => String(json[column] ?? "")));
}

function entryJson({ seq, atMs, type, actor, subject, requestId, changeSet, payloadDeleted }: AuditEntry) {
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

function filterOf(query: NativeRequest["query"]): AuditFilter {
  const text = (name: string) => query[name] as string | undefined;
  const [actor, subject, type, changeSet] = [text("actor"), text("subject"), text("type"), text("change_set")];
  const [fromMs, untilMs] = [timeOf("from", text("from")), timeOf("until", text("until"))];
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(subject === undefined ? {} : { subject }),
    ...(type === undefined ? {} : { types: type.split(",") }),
    ...(changeSet === undefined ? {} : { changeSet }),
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
  };
}

const RFC_3339 = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/;

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const atMs = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(atMs)) return atMs;
  const message = `Query parameter "${name}" must be a date or a time such as 2026-11-30T14:00:00Z, got "${text}".`;
  throw refusing("BAD_REQUEST", message, { items: [{ rule: name, message }] });
}
