/** The findings of a check, in one form for every output format. */
import type { LintReport, Readiness } from "../../schema/projection/lint.ts";
import type { Witness } from "../../schema/witness.ts";
import type { Position } from "../input/locate.ts";

export type Finding = {
  severity: string;
  kind: string;
  message: string;
  /** The pointer in the checked schema, else in the one it is compared with. */
  pointer: string;
  file: string;
  position?: Position | undefined;
  direction?: string | undefined;
  fix?: string | undefined;
  witness?: (Pick<Witness, "status"> & { datum?: unknown; reader_result?: string; reason?: string }) | undefined;
  decided_by?: { type: string; name: string; was: string } | undefined;
};

type PortabilityChange = { profile: string; before: Readiness | null; after: Readiness };

export type AffectedSubject = {
  subject: string;
  version: string | null;
  compatible: boolean | null;
  reasons: string[];
};

export type CheckReport = {
  /** The subject, or the file. */
  name: string;
  place: string;
  /** What it was compared with; null if it is new. */
  against: string | null;
  compatible: boolean | null;
  level: string | null;
  policy: string | null;
  writers: string | null;
  role: string | null;
  bump: string | null;
  suggestedVersion: string | null;
  reasons: readonly string[];
  findings: readonly Finding[];
  /** Why the schema is invalid, or why it could not be decided. */
  problems: readonly string[];
  portability: readonly PortabilityChange[];
};

/** A subject that only the revision has, and where it was. */
export type RemovedSubject = { subject: string; place: string };

/** `heading`: the page's heading, if the answer is not about compatibility. */
export type CheckSummary = {
  heading?: string;
  compatible: boolean;
  reports: readonly CheckReport[];
  affected: readonly AffectedSubject[];
  removed?: readonly RemovedSubject[];
};

/** Findings about a single document, such as data validated against a schema. */
export function summaryOfFindings(
  heading: string,
  { name, place, holds }: { name: string; place: string; holds: boolean },
  findings: readonly Finding[],
): CheckSummary {
  const nothing = { level: null, policy: null, writers: null, role: null, bump: null, suggestedVersion: null };
  const report = {
    ...nothing,
    name,
    place,
    against: null,
    compatible: holds,
    reasons: [],
    problems: [],
    portability: [],
  };
  return { heading, compatible: holds, reports: [{ ...report, findings }], affected: [] };
}

const SEVERITY_ORDER = ["breaking", "warning", "behaviour", "info"];

export function bySeverity(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity));
}

export function placeOfFinding({ file, position }: Finding): string {
  return position === undefined ? file : `${file}:${position.line}:${position.column}`;
}

/** The providers whose support for the schema changed. */
export function portabilityChanges(before: readonly LintReport[] | undefined, after: readonly LintReport[]) {
  return after.flatMap(({ profile, readiness }): PortabilityChange[] => {
    const earlier = before?.find((report) => report.profile === profile)?.readiness ?? null;
    return earlier === readiness || (before === undefined && readiness === "ready")
      ? []
      : [{ profile, before: earlier, after: readiness }];
  });
}
