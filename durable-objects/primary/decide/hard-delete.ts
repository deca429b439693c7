/** The entry of a hard delete: what goes, and the counters its going would otherwise leave behind. */
import type { RecordRow, StateReader } from "../state/reader.ts";
import type { DecidedEntry } from "./decision.ts";

/** `rows` are of one subject. */
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
      // Where there were only drafts, no context came to be.
      contexts: state.hasContext(context) ? [{ context, nextConfluentId: state.nextConfluentId(context) }] : [],
    },
  };
}
