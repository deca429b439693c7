/**
 * The primary as the Confluent API sees it: subjects that hold artefacts do not exist. A subject holds either artefacts
 * or schemas of the Confluent contract, never both, so hiding is a question of the subject.
 */
import type { Refusal } from "../../contract/errors.ts";
import type { PrimaryClient } from "../../durable-objects/primary/client.ts";
import type { AsOf } from "../../registry/log-entry.ts";
import type { Queries, QueryName, ReadAnswer } from "../../registry/questions.ts";
import type { SchemaRecord } from "../../registry/record.ts";
import { isArtefact } from "../../schema/format.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import type { SubjectName } from "../../schema/subject-name.ts";
import type { Edge } from "../edge.ts";
import { subjectNotFound } from "../registry/read/read.ts";

export function isHiddenArtefact({ hidesArtefacts }: Edge, { format }: Pick<SchemaRecord, "format">): boolean {
  return hidesArtefacts && isArtefact(format);
}

type Hidden = { [K in QueryName]?: (args: Queries[K][0]) => Promise<Result<ReadAnswer<K>, Refusal>> };

export function withoutArtefacts(primary: PrimaryClient): PrimaryClient {
  const reads = readsWithoutArtefacts(primary);
  return {
    ...primary,
    read<K extends QueryName>(name: K, args: Queries[K][0]) {
      const read = reads[name] as ((args: Queries[K][0]) => Promise<Result<ReadAnswer<K>, Refusal>>) | undefined;
      return read === undefined ? primary.read(name, args) : read(args);
    },
    async commit(request) {
      const { command } = request;
      const isDelete = command.type === "deleteSubject" || command.type === "deleteVersion";
      const hidden = isDelete ? await findHidden(primary, command.name) : undefined;
      return hidden ? { ...refuse(subjectNotFound(hidden.name)), asOf: hidden.asOf } : primary.commit(request);
    },
  };
}

async function findHidden(
  primary: PrimaryClient,
  name: SubjectName,
): Promise<{ name: SubjectName; asOf: AsOf } | undefined> {
  const answer = await primary.read("holdsArtefacts", { name });
  return answer.ok && answer.value.value ? { name, asOf: answer.value.asOf } : undefined;
}

function readsWithoutArtefacts(primary: PrimaryClient): Hidden {
  const changed =
    <K extends QueryName>(name: K, change: (value: Queries[K][1]) => Queries[K][1]) =>
    async (args: Queries[K][0]): Promise<Result<ReadAnswer<K>, Refusal>> => {
      const answer = await primary.read(name, args);
      return answer.ok ? ok({ asOf: answer.value.asOf, value: change(answer.value.value) }) : answer;
    };
  const shown = (value: Queries["record"][1]): Queries["record"][1] =>
    "found" in value && isArtefact(value.found.format) ? { missing: "subject" } : value;
  /** A missing version of a hidden subject must look like a missing subject. */
  const shownOf =
    <K extends "record" | "recordByProperties">(name: K) =>
    async (args: Queries[K][0]): Promise<Result<ReadAnswer<K>, Refusal>> => {
      const answer = await changed(name, shown as (value: Queries[K][1]) => Queries[K][1])(args);
      if (!answer.ok || !("missing" in answer.value.value) || answer.value.value.missing !== "version") return answer;
      const hidden = await findHidden(primary, args.name);
      return hidden ? ok({ asOf: answer.value.asOf, value: { missing: "subject" } as Queries[K][1] }) : answer;
    };
  return {
    record: shownOf("record"),
    recordByProperties: shownOf("recordByProperties"),
    recordById: changed("recordById", (record) => (record && isArtefact(record.format) ? null : record)),
    records: ({ filter, ...args }) => primary.read("records", { ...args, filter: { ...filter, artefacts: false } }),
    subjects: (args) => primary.read("subjects", { ...args, artefacts: false }),
    recordsOfSubject: changed("recordsOfSubject", (value) =>
      value.records.some(({ format }) => isArtefact(format)) ? { subjectExists: false, records: [] } : value,
    ),
    referencedBy: changed("referencedBy", (records) => records.filter(({ format }) => !isArtefact(format))),
  };
}
