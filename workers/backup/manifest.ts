/** A backup's manifest lists its segments; unlisted objects are not part of it. It is written last, so a reader never sees half an export. */
import { EPOCH, GENESIS_HASH } from "../../registry/log-entry.ts";
import type { StateDigests } from "../../registry/rpc.ts";

const MANIFEST_FORMAT = "llm-schema-registry/backup";
const MANIFEST_VERSION = 1;
export const MANIFEST_NAME = "manifest.json";

/** Snake case: other tools read it too (docs/backup.md). */
export type Manifest = {
  format: typeof MANIFEST_FORMAT;
  v: typeof MANIFEST_VERSION;
  tenant: string;
  epoch: number;
  /** RFC 3339. */
  exported_at: string;
  last_seq: number;
  /** The leaf hash of entry `last_seq`. */
  tip: string;
  /** Hard deletes up to this entry have been carried out in every segment. */
  erased_through: number;
  /** In order, without gaps, from entry 1. */
  segments: ManifestSegment[];
  /** Digest of the state tables after entry `seq`; null until an export has caught up with the log. */
  state: (StateDigests & { seq: number; taken_at: string }) | null;
  /** Objects of earlier manifests that can be deleted. */
  unneeded: string[];
};

export type ManifestSegment = {
  /** Path relative to the manifest. */
  name: string;
  first: number;
  last: number;
  /** Digest of its lines; its last line repeats it. */
  sha256: string;
  bytes: number;
  /** Entries without a payload because of hard deletes. */
  erased: number;
  /** Full: the next entry starts another segment. */
  full: boolean;
};

/** How much of a refused name an error message quotes. */
const MAX_QUOTED_CHARACTERS = 128;

/** Names are joined with the manifest's folder, where they are read, written and deleted. */
function isInsideFolder(name: unknown): boolean {
  if (typeof name !== "string" || /[\\\0]|^[A-Za-z]:/.test(name)) return false;
  return name.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** The manifest of an empty backup. */
export function emptyManifest(tenant: string): Manifest {
  return {
    format: MANIFEST_FORMAT,
    v: MANIFEST_VERSION,
    tenant,
    epoch: EPOCH,
    exported_at: "",
    last_seq: 0,
    tip: GENESIS_HASH,
    erased_through: 0,
    segments: [],
    state: null,
    unneeded: [],
  };
}

/** Prefix of a tenant's backup in the bucket; every key starts with the tenant. */
export function backupPrefix(tenant: string, epoch: number): string {
  return `${tenant}/${epoch}/`;
}

/** Parses a manifest, or returns the problem. */
export function parseManifest(text: string): Manifest | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: "The manifest is not JSON." };
  }
  const manifest = (value ?? {}) as Partial<Manifest>;
  if (manifest.format !== MANIFEST_FORMAT) return { problem: `The manifest's "format" is not "${MANIFEST_FORMAT}".` };
  if (manifest.v !== MANIFEST_VERSION) {
    return {
      problem: `The manifest has version ${String(manifest.v)}; this release reads version ${MANIFEST_VERSION}.`,
    };
  }
  const { segments, last_seq, tip, unneeded } = manifest;
  if (!Array.isArray(segments) || !Array.isArray(unneeded) || typeof tip !== "string" || typeof last_seq !== "number") {
    return { problem: "The manifest lacks required members." };
  }
  const outside = [...segments.map(({ name }) => name), ...unneeded].find((name) => !isInsideFolder(name));
  if (outside !== undefined) {
    const named = JSON.stringify(outside)?.slice(0, MAX_QUOTED_CHARACTERS);
    return { problem: `The manifest names ${named}, which is not a path inside its own folder.` };
  }
  let seq = 0;
  for (const { name, first, last } of segments as ManifestSegment[]) {
    if (typeof name !== "string" || first !== seq + 1 || !(last >= first)) {
      return { problem: `The manifest has no segment that begins with entry ${seq + 1}.` };
    }
    seq = last;
  }
  if (seq !== last_seq)
    return { problem: `The manifest's segments end with entry ${seq}, but last_seq is ${last_seq}.` };
  return manifest as Manifest;
}
