/** What the methods take. */
import type { CompatibilityLevel, CompatibilityPolicy, LifecycleState, Reference, SchemaFormat } from "./models.js";
import type { SchemaInput } from "./schema.js";

export interface RegisterParams {
  subject: string;
  schema: SchemaInput;
  references?: readonly Reference[];
  /** The semantic version to assign; by default the change determines the next one. */
  version?: string;
  state?: "draft" | "active";
  compatibilityLevel?: CompatibilityLevel;
  description?: string;
  tags?: readonly string[];
  owner?: string;
  metadata?: { [name: string]: unknown };
  role?: string;
}

/** Omitted attributes are unchanged; null clears. */
export interface UpdateParams {
  description?: string | null;
  tags?: readonly string[];
  owner?: string | null;
  metadata?: { [name: string]: unknown };
  role?: string | null;
  state?: "active" | "deprecated" | "archived";
  reason?: string | null;
}

export interface CheckParams {
  level?: CompatibilityLevel;
  policy?: CompatibilityPolicy;
  references?: readonly Reference[];
  /** Compare with this version only, or with `all`. */
  version?: number | string;
}

export interface SearchFilters {
  format?: SchemaFormat;
  state?: LifecycleState;
  tag?: string;
  owner?: string;
  subjectPrefix?: string;
  role?: string;
  versions?: "latest" | "all";
}

export interface SearchParams {
  filters?: SearchFilters;
  /** Items of one page. */
  limit?: number;
  /** Waits for the search index to hold this client's own writes. */
  consistent?: boolean;
}

export interface ListParams {
  prefix?: string;
  limit?: number;
}

export interface DecodeParams {
  profile: string;
  /** The response body of a provider's API. */
  response?: unknown;
  /** The text that the model wrote, or the value. */
  answer?: unknown;
  tool?: string;
}
