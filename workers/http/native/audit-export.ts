/** `/audit/export`: the log's entries and the denied attempts as one stream of JSON lines or CSV, in order of time. */
import type { DenialPlace } from "../../../db/denials.ts";
import { errorFields, logLine } from "../../../observe/log-line.ts";
import type { AuditEntry, AuditFilter } from "../../../registry/audit.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import { deniedJson } from "../../access-record/batches.ts";
import type { Edge } from "../../edge.ts";
import { printCsvRow } from "../../registry/audit/csv.ts";
import { readDenied } from "../../registry/audit/denied.ts";
import { readAuditEntries } from "../../registry/audit/entries.ts";
import { type Answer, provenance } from "../answer.ts";
import { requireValue } from "../errors.ts";
import { auditFilter, entryJson } from "./audit-entries.ts";
import type { NativeRequest } from "./request.ts";

/** Rows of one page of an export. */
const EXPORT_PAGE = 500;

type Row = { atMs: number; cells: Record<string, unknown> };

const ENTRY_COLUMNS = ["seq", "at", "type", "actor", "subject", "request_id", "change_set", "payload_deleted"] as const;
const DENIED_COLUMNS = [
  "last_at",
  "count",
  "status",
  "code",
  "method",
  "route",
  "credential",
  "address",
  "network",
] as const;

/** The first pages are read before the response begins, so that refusals have a status. */
export async function exportAuditEntries({ edge, query, caller }: NativeRequest): Promise<Answer> {
  const isCsv = query.format === "csv";
  const filter = auditFilter(query);
  const entries = await started(entryPages(edge, filter));
  const denied = query.include === undefined ? undefined : await started(deniedPages(edge, filter));
  const columns = denied === undefined ? ENTRY_COLUMNS : [...ENTRY_COLUMNS, ...DENIED_COLUMNS];
  const printRow = ({ cells }: Row) =>
    isCsv ? printCsvRow(columns.map((column) => String(cells[column] ?? ""))) : `${JSON.stringify(cells)}\n`;
  const rows = denied === undefined ? streamRows(entries) : inOrder(streamRows(entries), streamRows(denied));
  return {
    status: 200,
    headers: {
      ...provenance(entries.first.asOf!, "primary"),
      "Content-Type": isCsv ? "text/csv; charset=utf-8" : "application/x-ndjson",
      "Content-Disposition": `attachment; filename="audit.${isCsv ? "csv" : "ndjson"}"`,
    },
    body: streamLines(rows, isCsv ? printCsvRow(columns) : "", printRow, caller.requestId),
  };
}

type Page = { rows: readonly Row[]; asOf?: AsOf };
type Pages = { first: Page; rest: AsyncGenerator<Page> };

async function started(rest: AsyncGenerator<Page>): Promise<Pages> {
  return { first: (await rest.next()).value as Page, rest };
}

async function* entryPages(edge: Edge, filter: AuditFilter): AsyncGenerator<Page> {
  for (let after = 0; ; ) {
    const asked = { filter, after, limit: EXPORT_PAGE };
    // The client sets the pace, so each page has a deadline of its own.
    const source = { env: edge.env, tenant: edge.tenant, primary: edge.freshPrimary() };
    const { asOf, value } = requireValue(await readAuditEntries(source, asked));
    yield { asOf, rows: value.entries.map((entry: AuditEntry) => ({ atMs: entry.atMs, cells: entryJson(entry) })) };
    if (!value.more) return;
    after = value.through;
  }
}

/** In the order of their minutes. */
async function* deniedPages(edge: Edge, filter: AuditFilter): AsyncGenerator<Page> {
  for (let after: DenialPlace | undefined; ; ) {
    const asked = { filter, after, limit: EXPORT_PAGE };
    const { denials, next } = requireValue(await readDenied(edge, asked));
    yield { rows: denials.map((denial) => ({ atMs: denial.minuteMs, cells: deniedJson(denial) })) };
    if (next === undefined) return;
    after = next;
  }
}

async function* streamRows({ first, rest }: Pages): AsyncGenerator<Row> {
  yield* first.rows;
  for await (const page of rest) yield* page.rows;
}

async function* inOrder(a: AsyncGenerator<Row>, b: AsyncGenerator<Row>): AsyncGenerator<Row> {
  let [nextA, nextB] = [await a.next(), await b.next()];
  for (;;) {
    if (!nextA.done && (nextB.done || nextA.value.atMs <= nextB.value.atMs)) {
      yield nextA.value;
      nextA = await a.next();
    } else if (!nextB.done) {
      yield nextB.value;
      nextB = await b.next();
    } else return;
  }
}

/**
 * Pulled by the client: nothing is read ahead. An export that fails midway aborts the stream, so that it is not
 * mistaken for a complete one.
 */
function streamLines(
  rows: AsyncGenerator<Row>,
  head: string,
  printRow: (row: Row) => string,
  requestId: string,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let isCancelled = false;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (head !== "") controller.enqueue(encoder.encode(head));
    },
    async pull(controller) {
      try {
        let text = "";
        for (let count = 0; count < EXPORT_PAGE; count += 1) {
          const { done, value } = await rows.next();
          if (done) {
            if (text !== "") controller.enqueue(encoder.encode(text));
            controller.close();
            return;
          }
          text += printRow(value);
        }
        controller.enqueue(encoder.encode(text));
      } catch (error) {
        // The client closed the connection, which is not a failure.
        if (isCancelled) return;
        logLine("error", "An export of the audit trail failed", { request_id: requestId, ...errorFields(error) });
        controller.error(error);
      }
    },
    async cancel() {
      isCancelled = true;
      await rows.return(undefined);
    },
  });
}
