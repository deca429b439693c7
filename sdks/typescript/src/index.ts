/** The public names of the package. */

export { type ClientStats, SchemaRegistry, SchemaRegistryClient } from "./client.js";
export type { BreakerOptions, BreakerState } from "./engine/breaker.js";
export type { CacheStats } from "./engine/cache.js";
export type { Clock } from "./engine/clock.js";
export * from "./errors.js";
export type { EventParams } from "./events.js";
export type {
  ApiErrorCode,
  CompatibilityLevel,
  CompatibilityPolicy,
  Difference,
  Health,
  Json,
  JsonDialect,
  LifecycleState,
  Open,
  Problem,
  ProblemPlace,
  Projection,
  Reference,
  RegistryEvent,
  SchemaContent,
  SchemaFormat,
  SchemaProblem,
  SchemaRecord,
  SearchHit,
  Severity,
  SubjectSummary,
  ValidationError,
  ValidationResult,
  Verdict,
  Witness,
} from "./models.js";
export type { CacheOptions, CallOptions, ClientEvent, ClientOptions, Source } from "./options.js";
export { type Page, Pages } from "./pages.js";
export type {
  CheckParams,
  DecodeParams,
  ListParams,
  RegisterParams,
  SearchFilters,
  SearchParams,
  UpdateParams,
} from "./params.js";
export { AvroSchema, JSONSchema, ProtobufSchema, type SchemaInput } from "./schema.js";
