/**
 * What the registry answers, as its OpenAPI document has it: names are the API's own, in snake_case. Enumerations are open:
 * a value that this version does not know is kept as text. test/models.test.ts compares these types with the document.
 */

/** A known value, or text of a newer registry. */
export type Open<Known extends string> = Known | (string & Record<never, never>);

export type SchemaFormat = Open<"json-schema" | "avro" | "protobuf">;
export type JsonDialect = Open<"draft-04" | "draft-06" | "draft-07" | "2019-09" | "2020-12">;
export type LifecycleState = Open<"draft" | "active" | "deprecated" | "archived">;
export type CompatibilityLevel = Open<
  "NONE" | "BACKWARD" | "BACKWARD_TRANSITIVE" | "FORWARD" | "FORWARD_TRANSITIVE" | "FULL" | "FULL_TRANSITIVE"
>;
export type CompatibilityPolicy = Open<"strict" | "lenient" | "semantic">;
export type Severity = Open<"breaking" | "warning" | "behaviour" | "info">;
export type Json = null | boolean | number | string | Json[] | { [member: string]: Json };

export interface Reference {
  name: string;
  subject: string;
  version: number;
}

export interface SchemaProblem {
  rule: string;
  message: string;
  pointer?: string;
  line?: number;
  column?: number;
}

/** One registered version of a subject. */
export interface SchemaRecord {
  id: string;
  subject: string;
  context: string;
  /** The semantic version; null while a draft. */
  version: string | null;
  /** The number within the subject, from 1; null while a draft. */
  version_number: number | null;
  format: SchemaFormat;
  dialect?: JsonDialect;
  /** A JSON value for formats written in JSON, text for Protobuf. */
  content?: unknown;
  references: Reference[];
  contract?: unknown;
  guid: string;
  confluent_id: number | null;
  fingerprint: string;
  state: LifecycleState;
  deleted?: true;
  description: string | null;
  tags: string[];
  owner: string | null;
  metadata: { [name: string]: unknown };
  role: string | null;
  created_at: string;
  created_by: string;
  updated_at: string;
  seq: number;
  /** Only in the answer to a registration. */
  warnings?: SchemaProblem[];
}

/** The immutable part of a version. */
export interface SchemaContent {
  format: SchemaFormat;
  dialect?: JsonDialect;
  content: unknown;
  references: Reference[];
  contract?: unknown;
  guid: string;
  fingerprint: string;
}

export interface SubjectSummary {
  subject: string;
  context: string;
  latest: { version: string | null; version_number: number | null; id: string } | null;
  versions: number;
  deleted_versions: number;
  drafts: number;
  level: CompatibilityLevel;
  policy: CompatibilityPolicy;
  writers: string;
  mode: string;
  role: string | null;
}

export interface SearchHit {
  /** Without content and fingerprint; read them by its id. */
  record: Omit<SchemaRecord, "content" | "fingerprint">;
  score: number;
  /** Where it matched; `path` is the field's, for `field` and `documentation`. */
  highlights: { in: string; path?: string; parts: { text: string; match: boolean }[] }[];
}

/** A datum that the writer may produce and the reader refuses. */
export interface Witness {
  status: Open<"confirmed" | "not_found">;
  datum?: unknown;
  binary?: string;
  reader_result?: string;
  confirmed_by?: string;
  reason?: string;
}

export interface Difference {
  kind: string;
  reader_pointer: string | null;
  writer_pointer: string | null;
  message: string;
  severity: Severity;
  fix?: string;
  witness?: Witness;
  version_number?: number;
  direction?: Open<"backward" | "forward">;
}

/** The answer to a compatibility check, and the reason of a refused registration. */
export interface Verdict {
  compatible: boolean;
  level: CompatibilityLevel | null;
  policy: CompatibilityPolicy;
  writers: string;
  differences: Difference[];
  differences_total?: number;
  compared_versions: { version: string | null; version_number: number | null; id: string; compatible: boolean }[];
  suggested_version?: string | null;
}

export interface ValidationError {
  /** JSON pointer into the data. */
  pointer: string;
  message: string;
  /** The keyword or rule that failed. */
  keyword: string;
  expected?: string;
  got?: string;
}

export interface ValidationResult {
  valid: boolean;
  errors: ValidationError[];
  warnings: SchemaProblem[];
  /** `local` where this client decided, else the registry's engine. */
  engine: Open<"local" | "compiled" | "interpreted">;
  /** Whether the schema came from an expired cache entry while the registry was away. */
  stale: boolean;
}

/** A schema rewritten for one model provider. */
export interface Projection {
  [member: string]: unknown;
}

export interface Health {
  status: string;
  [member: string]: unknown;
}

export interface ProblemPlace {
  pointer?: string;
  rule?: string;
  message: string;
  [member: string]: unknown;
}

export type ApiErrorCode =
  | "bad_request"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "method_not_allowed"
  | "not_acceptable"
  | "conflict"
  | "version_exists"
  | "protected"
  | "frozen"
  | "incompatible_schema"
  | "precondition_failed"
  | "payload_too_large"
  | "unsupported_media_type"
  | "invalid_schema"
  | "unsupported"
  | "too_complex"
  | "precondition_required"
  | "rate_limited"
  | "internal"
  | "not_configured"
  | "not_ready"
  | "busy"
  | "storage_full";

/** A problem document (RFC 9457). */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  instance?: string;
  code: Open<ApiErrorCode>;
  errors?: ProblemPlace[];
  verdict?: Verdict;
  [member: string]: unknown;
}

/** One change of the registry: a CloudEvent with the log's seq. */
export interface RegistryEvent {
  id: string;
  type: string;
  subject?: string;
  time: string;
  /** The position to store once the event is handled, and to pass as `after` next time. */
  seq: number;
  data: { [member: string]: unknown };
}
