/** Records, their contents and the closures of their references, as the edge and the primary exchange them. */

import type { ClosureHash, ContentHash } from "../schema/content-hash.ts";
import type { FormatName, JsonDialect, SchemaReference } from "../schema/format.ts";
import type { DataContract } from "../schema/rules/data-contract.ts";
import type { Role } from "../schema/rules/roles.ts";

/** `draft` has no number, semver or Confluent id; the others have all three. Deletion is beside the state, not in it. */
const LIFECYCLE_STATES = ["draft", "active", "deprecated", "archived"] as const;

export type LifecycleState = (typeof LIFECYCLE_STATES)[number];

/** Which API speaks: it sets the defaults of subjects it creates, nothing else. */
export type Api = "native" | "confluent";

/** Mutable, never hashed. Empty on records that the Confluent API made. */
export type Attributes = {
  description: string | null;
  tags: readonly string[];
  owner: string | null;
  metadata: Readonly<Record<string, unknown>>;
  role: Role | null;
};

export const NO_ATTRIBUTES: Attributes = { description: null, tags: [], owner: null, metadata: {}, role: null };

/** One registered version of a subject, without its text. */
export type SchemaRecord = {
  /** UUIDv7. */
  id: string;
  context: string;
  subject: string;
  /** Null while a draft. */
  versionNumber: number | null;
  semver: string | null;
  confluentId: number | null;
  state: LifecycleState;
  deleted: boolean;
  format: FormatName;
  /** In which a JSON Schema is read; the same text may be read in two by two records. */
  dialect: JsonDialect | null;
  contentHash: ContentHash;
  guid: string;
  references: readonly SchemaReference[];
  contract: DataContract;
  attributes: Attributes;
  createdAtMs: number;
  createdBy: string;
  updatedAtMs: number;
  /** Seq of the last entry about this record. */
  seq: number;
};

/** Content class: immutable, never state. `deflated` is the raw-deflated UTF-8 text, or null when it lies in R2 under the content hash. */
export type StoredContent = {
  contentHash: ContentHash;
  guid: string;
  format: FormatName;
  /** The record's where a record was asked for, else that of the first to be registered. */
  dialect: JsonDialect | null;
  references: readonly SchemaReference[];
  contract: DataContract;
  deflated: Uint8Array | null;
  /** Bytes of the text before deflating. */
  textBytes: number;
};

/** What one content's references resolve to, for each content a root reaches. The root comes first. */
export type Closure = {
  root: ContentHash;
  hash: ClosureHash;
  nodes: readonly {
    contentHash: ContentHash;
    references: readonly (SchemaReference & { contentHash: ContentHash })[];
  }[];
};

/** A reference as it was asked for: `version` −1 means latest; an unqualified subject is taken in the referring subject's context. */
export type RequestedReference = { name: string; subject: string; version: number };
