/** Derives the expected rows of the read model from the primary's state and the texts. */
import { type ExpectedRecord, type ExpectedSubject, expectedRecord } from "../../../db/projection/compare.ts";
import type { KeyedRecord } from "../../../db/projection/rows.ts";
import type { Queries } from "../../../registry/questions.ts";
import type { TextSource } from "../write/facts.ts";
import { StateUnsettled } from "./parked.ts";
import { contentKey, deriveContents, storedContents } from "./project.ts";

/** Throws if derivation from a text fails; its record then cannot be compared. */
export async function expectedRecords(source: TextSource, records: readonly KeyedRecord[]): Promise<ExpectedRecord[]> {
  const derivations = await deriveContents(source, records, await storedContents(source, records));
  return records.map((record) => {
    const derivation = derivations.get(contentKey(record))!;
    if ("failure" in derivation) throw new StateUnsettled(`Version ${record.id}: ${derivation.failure}`);
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
