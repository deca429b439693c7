/** Aliases of versions, such as `production`: pointers that move, with gates that decide on evidence. */
import type { SubjectName } from "../schema/subject-name.ts";

/** A condition that a move must meet; the expression is CEL over `evidence` and `verdict`. */
export type AliasGate = { name: string; expression: string; message?: string };

/** Moving or changing a protected alias needs the permission `subject:promote`. */
export type AliasSettings = { protected: boolean; gates: readonly AliasGate[] };

export type VersionAlias = {
  alias: string;
  /** Null if it points nowhere yet, or its version was hard-deleted. */
  target: { id: string; versionNumber: number; semver: string } | null;
  settings: AliasSettings;
};

export type AliasMove = {
  seq: number;
  atMs: number;
  actor: string;
  fromNumber: number | null;
  toNumber: number | null;
  reason: string | null;
};

/** One metric of an evaluation, as gates see it. */
export type EvidenceResult = {
  metric: string;
  score: number;
  lower_is_better: boolean;
  evaluation: string;
  evaluation_id: string;
  model: string;
  standard_error: number | null;
  samples: number | null;
};

export type Evidence = { seq: number; atMs: number; actor: string; results: readonly EvidenceResult[] };

export type MoveAliasCommand = {
  type: "moveAlias";
  name: SubjectName;
  alias: string;
  /** Null keeps the target, or leaves a new alias without one. */
  selector: string | number | null;
  /** Absent members keep their value. */
  settings: Partial<AliasSettings>;
  reason: string | null;
  mayMoveProtected: boolean;
};

export type DeleteAliasCommand = {
  type: "deleteAlias";
  name: SubjectName;
  alias: string;
  reason: string | null;
  mayMoveProtected: boolean;
};

export type AttachEvidenceCommand = {
  type: "attachEvidence";
  name: SubjectName;
  selector: string | number;
  results: readonly EvidenceResult[];
};

/** Aliases of a subject; each is one row that every list of them reads. */
export const MAX_ALIASES = 50;
export const MAX_GATES = 20;
/** Metrics of one request. */
export const MAX_EVIDENCE_RESULTS = 200;
/** Evidence that gates and lists consider, the newest. */
export const MAX_CONSIDERED_EVIDENCE = 1_000;

/** Not a number, semver, range or `latest`, because an alias is accepted wherever they are. */
export const ALIAS_PATTERN = /^(?!latest$|all$)[A-Za-z][A-Za-z0-9_-]{1,63}$/;
