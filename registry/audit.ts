/** The primary's answers about its log's tree and entries, for auditors. */

/** The log's name if LOG_ORIGIN is not set. */
const DEFAULT_LOG_ORIGIN = "llm-schema-registry";

/**
 * The name of a tenant's log and of the keys that sign its checkpoints, which must contain neither spaces nor plus
 * signs.
 */
export function logOrigin(base: string | undefined, tenant: string): string {
  return `${base || DEFAULT_LOG_ORIGIN}/${encodeURIComponent(tenant)}`;
}

export type StoredCheckpoint = {
  /** The number of entries covered. */
  size: number;
  atMs: number;
  /** The signed note. */
  note: string;
};

/** A public key that has signed checkpoints, in the form for verifiers. */
export type CheckpointKey = { verifier: string; firstSize: number; firstAtMs: number };

/** Hashes as lower-case hex, lowest first. */
export type TreeProof = { root: string; hashes: readonly string[] };

export function isNotBuilt(value: unknown): boolean {
  return value !== null && typeof value === "object" && "problem" in value && value.problem === "not_built";
}

export type TreeProblem = {
  /** `outside`: the tree has no such entry or size. `not_built`: tiles are still being built. */
  problem: "outside" | "not_built";
};

/** Absent: no filter. */
export type AuditFilter = {
  actor?: string;
  /** The qualified name, as entries carry it. */
  subject?: string;
  types?: readonly string[];
  fromMs?: number;
  /** Exclusive. */
  untilMs?: number;
  changeSet?: string;
};

/** An entry as auditors read it: who made which change, when, and to which subject. */
export type AuditEntry = {
  seq: number;
  atMs: number;
  type: string;
  subject: string | null;
  actor: string;
  requestId: string;
  changeSet: string | null;
  /** A hard delete has removed the payload. */
  payloadDeleted: boolean;
  /** JSON; only if payloads were asked for. */
  payload?: string;
};

/** `through`: the last entry examined; the next page follows it. */
export type AuditPage = { entries: readonly AuditEntry[]; through: number; more: boolean };
