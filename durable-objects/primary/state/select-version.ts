/** The version that a selector denotes in a subject. */
import type { VersionSelector } from "../../../registry/questions.ts";
import { compareSemvers, isRange, parseSemver, satisfiesRange } from "../../../schema/semver.ts";
import type { RecordRow, StateReader, SubjectRow } from "./reader.ts";

/** `deleted` finds soft-deleted versions by number or semver, never by `latest` or a range. */
export function selectVersion(
  state: StateReader,
  subject: SubjectRow,
  selector: VersionSelector,
  deleted: boolean,
): RecordRow | undefined {
  const visible = (row: RecordRow | undefined) => (row && (deleted || row.deleted === 0) ? row : undefined);
  if (typeof selector === "number") return visible(state.recordByNumber(subject.subject_key, selector));
  if (selector === "latest") return state.latest(subject.subject_key);
  const semver = parseSemver(selector);
  if (semver !== undefined) {
    // Build metadata has no precedence, so a semver without it also matches the version that has it.
    return visible(
      state.recordBySemver(subject.subject_key, semver) ??
        state
          .liveRecords(subject.subject_key)
          .find((row) => row.label !== null && compareSemvers(row.label, semver) === 0),
    );
  }
  if (!isRange(selector)) {
    const target = state.aliasOf(subject.subject_key, selector)?.recordKey;
    return target == null ? undefined : visible(state.recordByKey(target));
  }
  const matching = state
    .liveRecords(subject.subject_key)
    .filter(
      ({ label: own, state: lifecycle }) => own !== null && lifecycle !== "archived" && satisfiesRange(own, selector),
    )
    .sort((a, b) => compareSemvers(b.label!, a.label!));
  return matching.find((row) => row.state === "active") ?? matching[0];
}
