/** Lists of the Confluent API, paged by offset and limit. */
import type { Refusal } from "../../../contract/errors.ts";
import { type Association, type AssociationFilter, isAdmitted } from "../../../registry/association.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { RecordFilter } from "../../../registry/questions.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { MAX_QUERY_ROWS } from "../../../registry/rpc.ts";
import type { SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { type ShownText, textsOf } from "../../read-path/texts.ts";
import { subjectNotFound } from "./read.ts";

type Page = { offset: number; limit: number };

/** Bounds the text in one answer to a quarter of a Worker's memory. A truncated list has a Link header. */
const MAX_LISTED_CHARACTERS = 16 * 1024 * 1024;

/** All names, sorted by code unit. */
export async function listSubjectNames(
  edge: Edge,
  { prefix, deleted }: { prefix: string; deleted: "no" | "also" | "only" },
): Promise<{ ok: true; names: string[]; asOf: AsOf } | Refusal> {
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
    if ("ok" in answer) return answer;
    names.push(...answer.value.names);
    after = answer.value.next;
    if (after === null) return { ok: true, names: names.sort(), asOf: answer.asOf };
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
): Promise<{ ok: true; records: SchemaRecord[]; asOf: AsOf } | Refusal> {
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
    if ("ok" in answer) return answer;
    if (!answer.value.subjectExists && records.length === 0) return subjectNotFound(name);
    records.push(...answer.value.records);
    if (answer.value.records.length < MAX_QUERY_ROWS) return { ok: true, records, asOf: answer.asOf };
  }
}

type ListedSchema = {
  record: SchemaRecord;
  text: ShownText;
  aliases: readonly SubjectName[];
  associations: readonly Association[];
};
type SchemaList = { ok: true; items: ListedSchema[] /** Whether there are more. */; isCut: boolean; asOf: AsOf };

/** Versions with their texts, by context, subject and number. */
export async function listSchemas(
  edge: Edge,
  { filter, page }: { filter: RecordFilter; page: Page },
): Promise<SchemaList | Refusal> {
  const primary = edge.primary;
  const { offset, limit } = page;
  const answer = await primary.read("records", { filter, order: "subject", after: null, limit, offset });
  if ("ok" in answer) return answer;
  const { records, next } = answer.value;
  const aliases = new Map<string, SubjectName[]>();
  if (filter.aliases) {
    const known = await primary.read("aliases", {});
    if ("ok" in known) return known;
    for (const { alias, subject } of known.value) {
      const key = JSON.stringify(subject);
      aliases.set(key, [...(aliases.get(key) ?? []), alias]);
    }
  }
  const associations = await readAssociations(edge, records, filter.associations);
  if (!(associations instanceof Map)) return associations;
  const items: ListedSchema[] = [];
  let characters = 0;
  for (let at = 0; at < records.length; at += TEXTS_AT_ONCE) {
    const some = records.slice(at, at + TEXTS_AT_ONCE);
    const texts = await textsOf(
      edge,
      some.map(({ contentHash }) => contentHash),
    );
    for (const record of some) {
      const text = texts.get(record.contentHash);
      // Hard-deleted between the two queries.
      if (!text) continue;
      characters += text.text.length;
      if (items.length > 0 && characters > MAX_LISTED_CHARACTERS)
        return { ok: true, items, isCut: true, asOf: answer.asOf };
      const { context, subject } = record;
      const key = JSON.stringify({ context, subject });
      items.push({ record, text, aliases: aliases.get(key) ?? [], associations: associations.get(key) ?? [] });
    }
  }
  return { ok: true, items, isCut: next !== null, asOf: answer.asOf };
}

const TEXTS_AT_ONCE = 100;

/** The associations to show for each subject; none without a filter. */
async function readAssociations(
  edge: Edge,
  records: readonly SchemaRecord[],
  filter: AssociationFilter | undefined,
): Promise<Map<string, Association[]> | Refusal> {
  const subjects = new Map(
    records.map(({ context, subject }) => [JSON.stringify({ context, subject }), { context, subject }]),
  );
  const found = new Map<string, Association[]>();
  if (filter === undefined) return found;
  const keys = [...subjects.keys()];
  while (found.size < keys.length) {
    const asked = keys.slice(found.size);
    const answer = await edge.primary.read("associationsOfMany", { names: asked.map((key) => subjects.get(key)!) });
    if ("ok" in answer) return answer;
    for (const [index, associations] of answer.value.entries()) {
      found.set(
        asked[index]!,
        associations.filter((association) => isAdmitted(association, filter)),
      );
    }
  }
  return found;
}
