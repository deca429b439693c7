/** `/compatibility/report`: one line of JSON per verdict, written only as fast as the client reads. */
import { ERRORS, makeRefusal, type Refusal } from "../../../contract/errors.ts";
import { errorFields, logLine } from "../../../observe/log-line.ts";
import { printToken } from "../../read-path/token.ts";
import type { Tally } from "../../registry/compatibility/judge.ts";
import { openReport, type ReportEvent, type ReportTotals } from "../../registry/compatibility/report.ts";
import { type Answer, provenance } from "../answer.ts";
import { requireValue } from "../errors.ts";
import { totalJson } from "./compatibility.ts";
import { textParameter } from "./fields.ts";
import type { NativeRequest } from "./request.ts";

export async function getReport(request: NativeRequest): Promise<Answer> {
  const { edge, caller } = request;
  const question = {
    subjectPrefix: textParameter(request, "subject_prefix"),
    context: textParameter(request, "context"),
    cursor: textParameter(request, "cursor"),
    limit: request.query.limit as number,
  };
  const { asOf, events } = requireValue(await openReport(edge, question));
  return {
    status: 200,
    headers: { "Content-Type": "application/x-ndjson", ...provenance(asOf, "primary") },
    body: streamLines(events, caller.requestId),
  };
}

/** Pulled by the client, so that nothing is computed ahead of it; a client that disconnects ends the report. */
function streamLines(events: AsyncGenerator<ReportEvent>, requestId: string): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const line = (value: object) => encoder.encode(`${JSON.stringify(value)}\n`);
  let isCancelled = false;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await events.next();
        if (done) controller.close();
        else controller.enqueue(line(eventJson(value)));
      } catch (error) {
        // The client closed the connection, which is not a failure.
        if (isCancelled) return;
        // The status has been sent, so an error can only be reported as a line before the end.
        logLine("error", "A report failed", { request_id: requestId, ...errorFields(error) });
        controller.enqueue(line(errorJson(makeRefusal("INTERNAL", [], "Something went wrong on the server."))));
        controller.close();
      }
    },
    async cancel() {
      isCancelled = true;
      await events.return(undefined);
    },
  });
}

function eventJson(event: ReportEvent): object {
  switch (event.type) {
    case "start":
      return { type: "start", seq: printToken(event.asOf) };
    case "verdict": {
      const { policy, from, to, verdict } = event;
      const version = ({ semver, versionNumber, id }: typeof from) => ({
        version: semver,
        version_number: versionNumber,
        id,
      });
      const subject = {
        ...policy.name,
        level: policy.level,
        policy: policy.policy,
        writers: policy.writers,
        role: policy.role,
      };
      const pair = { type: "verdict", ...subject, from: version(from), to: version(to) };
      if ("undecided" in verdict) return { ...pair, compatible: null, problem: verdict.undecided.detail };
      return {
        ...pair,
        compatible: verdict.compatible,
        backward: tallyJson(verdict.backward),
        forward: tallyJson(verdict.forward),
        suggested_bump: verdict.suggestedBump,
        version_sufficient: verdict.semverEnough,
        differences: verdict.differences,
        ...totalJson(verdict.differences, verdict.total),
        ...omittedJson(verdict.differences, verdict.total),
      };
    }
    case "subject":
      return { type: "subject", ...event.policy.name, ...event.totals };
    case "progress":
      return {
        type: "progress",
        ...totalsJson(event.totals),
        ...(event.cursor === null ? {} : { cursor: event.cursor }),
      };
    case "error":
      return errorJson(event.refusal);
    case "end":
      return {
        type: "end",
        complete: event.complete,
        ...totalsJson(event.totals),
        ...(event.nextCursor === null ? {} : { next_cursor: event.nextCursor }),
      };
  }
}

/** The spelling of release 0.1.0. */
function omittedJson(differences: readonly unknown[], total: number) {
  return total > differences.length ? { omitted_differences: total - differences.length } : {};
}

function tallyJson({ compatible, breaking, warnings }: Tally) {
  return { compatible, breaking, warnings };
}

function totalsJson({ subjects, versions, pairs, incompatible, undecided }: ReportTotals) {
  return { subjects, versions, pairs, incompatible, undecided };
}

function errorJson({ error, detail }: Refusal) {
  return { type: "error", code: ERRORS[error].code, detail };
}
