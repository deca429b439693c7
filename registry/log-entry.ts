/**
 * Log entries: the exact bytes that are hashed, and the verification of their chain. Everything is synchronous, so that
 * hashing and writing happen in one step.
 */

import { createHash } from "node:crypto";
import type { Refusal } from "../contract/errors.ts";
import type { Result } from "../schema/result.ts";

export const EPOCH = 1;

/** The log position of an answer. `lastHardDelete` is the seq of the last hard delete, 0 if there was none. */
export type AsOf = { epoch: number; seq: number; lastHardDelete: number };

/** A result of the primary, and the log position that it is based on. */
export type Answered<Value> = Result<Value, Refusal> & { asOf: AsOf };

/** Exactly the bytes that were hashed. */
export type LogHeader = {
  v: 1;
  epoch: number;
  seq: number;
  /** Milliseconds since the Unix epoch. */
  at: number;
  type: EntryType;
  tenant: string;
  actor: string;
  request_id: string;
  subject: string | null;
  /** Lower-case hex. */
  payload_digest: string;
  prev_hash: string;
};

export const ENTRY_TYPES = [
  "schema.registered",
  "schema.updated",
  "schema.activated",
  "schema.deprecated",
  "schema.archived",
  "schema.deleted",
  "schema.undeleted",
  "schema.erased",
  "config.changed",
  "mode.changed",
  "rule.changed",
  "context.deleted",
  "association.changed",
  "webhook.changed",
  "change_set.committed",
  "governance.changed",
  "proposal.opened",
  "proposal.commented",
  "proposal.approved",
  "proposal.rejected",
  "proposal.applied",
  "proposal.expired",
  "alias.moved",
  "evidence.attached",
  "change.overridden",
] as const;

export type EntryType = (typeof ENTRY_TYPES)[number];

export type LogEntry = {
  seq: number;
  header: Uint8Array;
  leafHash: Uint8Array;
  /** Null after a hard delete. */
  payload: { salt: Uint8Array; bytes: Uint8Array } | null;
};

export const SALT_BYTES = 16;
/** `prev_hash` of the first entry. */
export const GENESIS_HASH = "0".repeat(64);

/** The last entry of the log; for an empty log, its start. */
export type LogTip = { seq: number; leafHash: string };

/** SHA-256(salt ‖ payload), lower-case hex. */
export function payloadDigest(salt: Uint8Array, payload: Uint8Array): string {
  return createHash("sha256").update(salt).update(payload).digest("hex");
}

/** RFC 6962 §2.1: the hash of a leaf is SHA-256(0x00 ‖ entry). */
export function leafHash(header: Uint8Array): Uint8Array {
  return createHash("sha256").update(Uint8Array.of(0)).update(header).digest();
}

/** The bytes of a header: compact JSON in this key order, UTF-8. */
export function headerBytes(header: LogHeader): Uint8Array {
  const { v, epoch, seq, at, type, tenant, actor, request_id, subject, payload_digest, prev_hash } = header;
  return new TextEncoder().encode(
    JSON.stringify({ v, epoch, seq, at, type, tenant, actor, request_id, subject, payload_digest, prev_hash }),
  );
}

export function parseHeader(bytes: Uint8Array): LogHeader {
  return JSON.parse(new TextDecoder().decode(bytes)) as LogHeader;
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
