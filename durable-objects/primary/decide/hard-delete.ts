/** The log entry of a hard delete: the removed records, and the counters that must outlive them. */
import type { RecordRow, StateReader } from "../state/reader.ts";
import type { DecidedEntry } from "./decision.ts";

/** `rows` belong to one subject. */
export function eraseEntry(
  state: StateReader,
  subject: string,
  rows: readonly RecordRow[],
  options: { subjectStays?: boolean } = {},
): DecidedEntry {
  const [first] = rows;
  if (!first) throw new Error("A hard delete names at least one record.");
  const { subject_key, context } = first;
  const gone = !options.subjectStays && state.recordCount(subject_key) === rows.length;
  return {
    type: "schema.erased",
    subject,
    payload: {
      v: 1,
      recordKeys: rows.map(({ record_key }) => record_key),
      subjects: [
        {
          key: subject_key,
          context,
          subject: first.subject,
          gone,
          ...state.lastGiven(subject_key),
        },
      ],
      // Drafts alone do not create a context.
      contexts: state.hasContext(context) ? [{ context, nextConfluentId: state.nextConfluentId(context) }] : [],
    },
  };
}
