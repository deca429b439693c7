/** Finds the versions of a subject that accept a value. */
import type { Refusal } from "../../contract/errors.ts";
import type { AsOf } from "../../registry/log-entry.ts";
import type { SchemaRecord } from "../../registry/record.ts";
import type { DataOptions } from "../../schema/data.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import { isRange, satisfiesRange } from "../../schema/semver.ts";
import type { Edge } from "../edge.ts";
import { readShownText } from "../read-path/texts.ts";
import { subjectNotFound } from "../registry/read/read.ts";
import { parseSubject } from "../registry/read/subject-names.ts";
import { giveTurn } from "../registry/turns.ts";
import { findCertainlyValid } from "./compiled-versions.ts";
import { openTarget, type Target } from "./targets.ts";
import { CERTAINLY_VALID, interpretPayload, type UnframedPayload, type ValidationOutcome } from "./validate.ts";

/** Versions checked per request, newest first, because each may have to be parsed. */
export const MAX_ASKED_VERSIONS = 200;
/** Records per response of the primary. */
const PAGE = 500;

type AskedVersion = { record: SchemaRecord; outcome: Result<ValidationOutcome, Refusal> };
type AskedVersions = { versions: AskedVersion[]; total: number; asOf: AsOf };

/** `range` is `all` or a range of semvers. */
export async function askVersions(
  edge: Edge,
  { subject, context, range }: { subject: string; context: string | undefined; range: string },
  payload: UnframedPayload,
  options: DataOptions,
): Promise<Result<AskedVersions, Refusal>> {
  const listed = await listLive(edge, subject, context);
  if (!listed.ok) return listed;
  const wanted = listed.value.records.filter(({ semver }) => range === "all" || isIn(semver, range));
  const asked: { record: SchemaRecord; target: Result<Target, Refusal> }[] = [];
  for (const record of wanted.reverse().slice(0, MAX_ASKED_VERSIONS)) {
    if (asked.length > 0) await giveTurn();
    const text = await readShownText(edge, record.contentHash);
    if (text.ok) asked.push({ record, target: await openTarget(edge, { ...record, text: text.value.text }) });
  }
  const targets = asked.flatMap(({ target }) => (target.ok ? [target.value] : []));
  for (const { heat } of targets) heat.add(1, edge.now());
  const valid = await findCertainlyValid(edge, targets, payload, options);
  const versions: AskedVersion[] = [];
  for (const { record, target } of asked) {
    if (!target.ok) versions.push({ record, outcome: target });
    else if (valid.has(target.value)) versions.push({ record, outcome: CERTAINLY_VALID });
    else {
      if (versions.length > 0) await giveTurn();
      versions.push({ record, outcome: interpretPayload(target.value, payload, options) });
    }
  }
  return ok({ versions, total: wanted.length, asOf: listed.value.asOf });
}

/** Alternatives of a range, or one semver, as in `versions/{v}`. */
export function isVersionRange(text: string): boolean {
  return text === "all" || isRange(text);
}

function isIn(semver: string | null, range: string): boolean {
  return semver !== null && satisfiesRange(semver, range);
}

async function listLive(
  edge: Edge,
  subject: string,
  context: string | undefined,
): Promise<Result<{ records: SchemaRecord[]; asOf: AsOf }, Refusal>> {
  const parsed = parseSubject(subject, context);
  if (!parsed.ok) return parsed;
  const records: SchemaRecord[] = [];
  for (let after = 0; ; ) {
    const answer = await edge.primary.read("recordsOfSubject", {
      name: parsed.value,
      deleted: false,
      drafts: false,
      after,
      limit: PAGE,
    });
    if (!answer.ok) return answer;
    const { subjectExists, records: page } = answer.value.value;
    if (!subjectExists) return refuse(subjectNotFound(parsed.value));
    records.push(...page);
    const last = page.at(-1)?.versionNumber;
    if (page.length < PAGE || last === undefined || last === null) return ok({ records, asOf: answer.value.asOf });
    after = last;
  }
}
