/** Records, contents and closures of references, as edge and primary exchange them. */

import { makeRefusal, type Refusal } from "../contract/errors.ts";
import type { ClosureHash, ContentHash } from "../schema/content-hash.ts";
import type { FormatName, JsonDialect, SchemaReference } from "../schema/format.ts";
import type { DataContract } from "../schema/rules/data-contract.ts";
import type { Role } from "../schema/rules/roles.ts";

/** A `draft` has no number, semver or Confluent id; other states have all three, except that an artefact never has a Confluent id. Soft deletion is separate from the state. */
const LIFECYCLE_STATES = ["draft", "active", "deprecated", "archived"] as const;

export type LifecycleState = (typeof LIFECYCLE_STATES)[number];

/** The calling API, which only affects defaults of subjects it creates. */
export type Api = "native" | "confluent";

/** Mutable and never hashed. Empty for records of the Confluent API. */
export type Attributes = {
  description: string | null;
  tags: readonly string[];
  owner: string | null;
  metadata: Readonly<Record<string, unknown>>;
  role: Role | null;
};

export const NO_ATTRIBUTES: Attributes = { description: null, tags: [], owner: null, metadata: {}, role: null };

/** One version of a subject, without its text. */
export type SchemaRecord = {
  /** UUIDv7. */
  id: string;
  context: string;
  subject: string;
  /** Null for drafts. */
  versionNumber: number | null;
  semver: string | null;
  confluentId: number | null;
  state: LifecycleState;
  deleted: boolean;
  format: FormatName;
  /** The dialect of a JSON Schema; two records may read the same text in two dialects. */
  dialect: JsonDialect | null;
  contentHash: ContentHash;
  guid: string;
  references: readonly SchemaReference[];
  contract: DataContract;
  attributes: Attributes;
  createdAtMs: number;
  createdBy: string;
  updatedAtMs: number;
  /** Seq of the last entry about the record. */
  seq: number;
};

/** Immutable content. `deflated` is the raw-deflated UTF-8 text, or null if it is stored in R2 under the content hash. */
export type StoredContent = {
  contentHash: ContentHash;
  guid: string;
  format: FormatName;
  /** The record's dialect if a record was requested, else that of the first registered one. */
  dialect: JsonDialect | null;
  references: readonly SchemaReference[];
  contract: DataContract;
  deflated: Uint8Array | null;
  /** Size of the text before compression. */
  textBytes: number;
};

/** The resolved references of every content that a root reaches, root first. */
export type Closure = {
  root: ContentHash;
  hash: ClosureHash;
  nodes: readonly {
    contentHash: ContentHash;
    references: readonly (SchemaReference & { contentHash: ContentHash })[];
  }[];
};

/** A reference as requested: `version` −1 means latest; an unqualified subject is looked up in the referring subject's context. */
export type RequestedReference = { name: string; subject: string; version: number };

/** The answer about a missing version, and about one that the caller may not read. */
export function schemaNotFound(id: string): Refusal {
  const shown = id.length > 64 ? `${id.slice(0, 64)}…` : id;
  const hint = /^\d{1,10}$/.test(id)
    ? ` Ids here are UUIDs; the schema with the Confluent id ${id} is at /schemas/ids/${id}, outside /api/v1.`
    : "";
  return makeRefusal("SCHEMA_NOT_FOUND", [shown], `There is no schema with id ${shown}.${hint}`);
}
