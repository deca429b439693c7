/** What the copy in Postgres should hold of some records, made from the primary's state and from the texts. */
import { type ExpectedRecord, type ExpectedSubject, expectedRecord } from "../../../db/projection/compare.ts";
import type { KeyedRecord } from "../../../db/projection/rows.ts";
import type { Queries } from "../../../registry/questions.ts";
import type { TextSource } from "../write/facts.ts";
import { CopyUnsettled } from "./parked.ts";
import { deriveContents, keyOf, storedContents } from "./project.ts";

/** Throws where a text cannot be derived from: then nothing may be said of its record. */
export async function expectedRecords(source: TextSource, records: readonly KeyedRecord[]): Promise<ExpectedRecord[]> {
  const derivations = await deriveContents(source, records, await storedContents(source, records));
  return records.map((record) => {
    const derivation = derivations.get(keyOf(record))!;
    if ("failure" in derivation) throw new CopyUnsettled(`Version ${record.id}: ${derivation.failure}`);
    return expectedRecord(record, derivation);
  });
}

export function expectedSubjects(subjects: Queries["copySubjects"][1]["subjects"]): ExpectedSubject[] {
  return subjects.map(({ subjectKey, context, subject, defaultPolicy, latestKey }) => ({
    subject_key: subjectKey,
    context,
    subject,
    default_policy: defaultPolicy,
    latest_key: latestKey,
  }));
}
