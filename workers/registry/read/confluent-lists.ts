/** Lists of the Confluent API, paged by offset and limit. */

import type { Refusal } from "../../../contract/errors.ts";
import { type Association, type AssociationFilter, isAdmitted } from "../../../registry/association.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { RecordFilter } from "../../../registry/questions.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { MAX_QUERY_ROWS } from "../../../registry/rpc.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { readShownTexts, type ShownText } from "../../read-path/texts.ts";
import { subjectNotFound } from "./read.ts";

type Page = { offset: number; limit: number };

/** Bounds the text in one answer to a quarter of a Worker's memory. A truncated list has a Link header. */
const MAX_LISTED_CHARACTERS = 16 * 1024 * 1024;

/** All names, sorted by code unit. */
export async function listSubjectNames(
  edge: Edge,
  { prefix, deleted }: { prefix: string; deleted: "no" | "also" | "only" },
): Promise<Result<{ names: string[]; asOf: AsOf }, Refusal>> {
  const names: string[] = [];
  let after: string | null = null;
  for (;;) {
    const limit = MAX_QUERY_ROWS;
    const answer: Awaited<ReturnType<typeof readSubjects>> = await readSubjects(edge, {
      prefix,
      deleted,
      after,
      limit,
    });
    if (!answer.ok) return answer;
    names.push(...answer.value.value.names);
    after = answer.value.value.next;
    if (after === null) return ok({ names: names.sort(), asOf: answer.value.asOf });
  }
}

function readSubjects(
  edge: Edge,
  args: { prefix: string; deleted: "no" | "also" | "only"; after: string | null; limit: number },
) {
  return edge.primary.read("subjects", args);
}

/** All versions of a subject, ascending. */
export async function listRecordsOfSubject(
  edge: Edge,
  { name, deleted }: { name: SubjectName; deleted: boolean },
): Promise<Result<{ records: SchemaRecord[]; asOf: AsOf }, Refusal>> {
  const records: SchemaRecord[] = [];
  for (;;) {
    const after = records.at(-1)?.versionNumber ?? 0;
    const answer = await edge.primary.read("recordsOfSubject", {
      name,
      deleted,
      drafts: false,
      after,
      limit: MAX_QUERY_ROWS,
    });
    if (!answer.ok) return answer;
    if (!answer.value.value.subjectExists && records.length === 0) return refuse(subjectNotFound(name));
    records.push(...answer.value.value.records);
    if (answer.value.value.records.length < MAX_QUERY_ROWS) return ok({ records, asOf: answer.value.asOf });
  }
}

type ListedSchema = {
  record: SchemaRecord;
  text: ShownText;
  aliases: readonly SubjectName[];
  associations: readonly Association[];
};
type SchemaList = { items: ListedSchema[] /** Whether there are more. */; isCut: boolean; asOf: AsOf };

/** Versions with their texts, by context, subject and number. */
export async function listConfluentSchemas(
  edge: Edge,
  { filter, page }: { filter: RecordFilter; page: Page },
): Promise<Result<SchemaList, Refusal>> {
  const primary = edge.primary;
  const { offset, limit } = page;
  const answer = await primary.read("records", { filter, order: "subject", after: null, limit, offset });
  if (!answer.ok) return answer;
  const { records, next } = answer.value.value;
  const aliases = new Map<string, SubjectName[]>();
  if (filter.aliases) {
    const known = await primary.read("aliases", {});
    if (!known.ok) return known;
    for (const { alias, subject } of known.value.value) {
      const key = JSON.stringify(subject);
      aliases.set(key, [...(aliases.get(key) ?? []), alias]);
    }
  }
  const associations = await readAssociations(edge, records, filter.associations);
  if (!associations.ok) return associations;
  const items: ListedSchema[] = [];
  let characters = 0;
  for (let at = 0; at < records.length; at += TEXTS_AT_ONCE) {
    const some = records.slice(at, at + TEXTS_AT_ONCE);
    const texts = await readShownTexts(
      edge,
      some.map(({ contentHash }) => contentHash),
    );
    for (const record of some) {
      const text = texts.get(record.contentHash);
      // Hard-deleted between the two queries.
      if (!text) continue;
      characters += text.text.length;
      if (items.length > 0 && characters > MAX_LISTED_CHARACTERS)
        return ok({ items, isCut: true, asOf: answer.value.asOf });
      const { context, subject } = record;
      const key = JSON.stringify({ context, subject });
      items.push({ record, text, aliases: aliases.get(key) ?? [], associations: associations.value.get(key) ?? [] });
    }
  }
  return ok({ items, isCut: next !== null, asOf: answer.value.asOf });
}

const TEXTS_AT_ONCE = 100;

/** The associations to show for each subject; none without a filter. */
async function readAssociations(
  edge: Edge,
  records: readonly SchemaRecord[],
  filter: AssociationFilter | undefined,
): Promise<Result<Map<string, Association[]>, Refusal>> {
  const subjects = new Map(
    records.map(({ context, subject }) => [JSON.stringify({ context, subject }), { context, subject }]),
  );
  const found = new Map<string, Association[]>();
  if (filter === undefined) return ok(found);
  const keys = [...subjects.keys()];
  while (found.size < keys.length) {
    const asked = keys.slice(found.size);
    const answer = await edge.primary.read("associationsOfMany", { names: asked.map((key) => subjects.get(key)!) });
    if (!answer.ok) return answer;
    for (const [index, associations] of answer.value.value.entries()) {
      found.set(
        asked[index]!,
        associations.filter((association) => isAdmitted(association, filter)),
      );
    }
  }
  return ok(found);
}
