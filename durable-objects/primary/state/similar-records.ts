/** Records of a subject whose texts may be equivalent to another text. */
import { fromHex } from "../../../registry/log-entry.ts";
import type { RecordRow } from "./reader.ts";

/** At least one of the two is given. */
export type SoughtHashes = { equivalenceHash?: string; orderlessHash?: string | undefined };

/** ?1 is the subject, ?2 the hash. */
const BY_EQUIVALENCE = `SELECT record_key FROM content_records
  WHERE content_key IN (SELECT content_key FROM contents WHERE equivalence_hash = +?2) AND subject_key = +?1`;
/** ?1 is the subject, ?3 the hash; the last condition is the index's own (fewer-rows.ts). */
const BY_ORDERLESS_TEXT = `SELECT record_key FROM records INDEXED BY records_by_orderless_hash
  WHERE subject_key = +?1 AND orderless_hash = +?3 AND orderless_hash <> x''`;

/** Numbered records, newest first, with one statement for any combination of hashes. */
export function readSimilarRecords(
  sql: SqlStorage,
  select: string,
  subjectKey: number,
  { equivalenceHash, orderlessHash }: SoughtHashes,
): RecordRow[] {
  const bytes = (hash: string | undefined) => (hash === undefined ? null : fromHex(hash));
  // NULL equals nothing, so a hash that is not given matches nothing.
  return sql
    .exec<RecordRow>(
      `${select} WHERE records.record_key IN (${BY_EQUIVALENCE} UNION ${BY_ORDERLESS_TEXT})
         AND number IS NOT NULL ORDER BY number DESC`,
      subjectKey,
      bytes(equivalenceHash),
      bytes(orderlessHash),
    )
    .toArray();
}
