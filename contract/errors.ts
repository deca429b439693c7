/**
 * Every error of either API. `status`, `code` and `title` are the native API's (RFC 9457); `confluent` is the
 * Confluent API's `error_code` and message, in which each `%` is replaced by the refusal's next argument.
 */
type ErrorEntry = {
  status: number;
  code: string;
  title: string;
  confluent: { error_code: number; template: string };
};

export const ERRORS = {
  BAD_REQUEST: entry(400, "bad_request", "The request cannot be read", 400, "%"),
  UNAUTHORIZED: entry(401, "unauthorized", "No valid credential", 401, "Unauthorized"),
  FORBIDDEN: entry(403, "forbidden", "Not allowed", 403, "%"),
  ROUTE_NOT_FOUND: entry(404, "not_found", "No such route", 404, "HTTP 404 Not Found"),
  METHOD_NOT_ALLOWED: entry(405, "method_not_allowed", "Method not allowed", 405, "HTTP 405 Method Not Allowed"),
  NOT_ACCEPTABLE: entry(406, "not_acceptable", "No acceptable representation", 406, "HTTP 406 Not Acceptable"),
  PAYLOAD_TOO_LARGE: entry(413, "payload_too_large", "The request is too large", 413, "Request Entity Too Large"),
  UNSUPPORTED_MEDIA_TYPE: entry(
    415,
    "unsupported_media_type",
    "Unsupported media type",
    415,
    "HTTP 415 Unsupported Media Type",
  ),
  UNPROCESSABLE: entry(422, "bad_request", "The request is invalid", 422, "%"),
  PRECONDITION_FAILED: entry(412, "precondition_failed", "Precondition failed", 412, "%"),
  PRECONDITION_REQUIRED: entry(428, "precondition_required", "Precondition required", 428, "%"),
  RATE_LIMITED: entry(429, "rate_limited", "Too many requests", 429, "Too many requests"),
  INTERNAL: entry(500, "internal", "Internal error", 500, "Internal Server Error"),
  NOT_CONFIGURED: entry(501, "not_configured", "Not available in this deployment", 501, "%"),
  NOT_READY: entry(503, "not_ready", "Not ready", 50001, "%"),
  QUOTA_REACHED: entry(403, "forbidden", "Quota reached", 403, "%"),
  CLOSED: entry(503, "not_ready", "Not configured", 503, "%"),
  BUSY: entry(503, "busy", "Busy", 50002, "%"),
  STORAGE_FULL: entry(
    507,
    "storage_full",
    "Storage is full",
    50001,
    "Register schema operation failed: storage is full",
  ),

  SUBJECT_NOT_FOUND: entry(404, "not_found", "Subject not found", 40401, "Subject '%' not found."),
  VERSION_NOT_FOUND: entry(404, "not_found", "Version not found", 40402, "Version % not found."),
  SCHEMA_NOT_FOUND: entry(404, "not_found", "Schema not found", 40403, "Schema % not found"),
  SCHEMA_TEXT_NOT_FOUND: entry(404, "not_found", "Schema not found", 40403, "Schema not found"),
  SUBJECT_SOFT_DELETED: entry(
    404,
    "not_found",
    "Subject is soft-deleted",
    40404,
    "Subject '%' was soft deleted.Set permanent=true to delete permanently",
  ),
  SUBJECT_NOT_SOFT_DELETED: entry(
    404,
    "conflict",
    "Subject is not soft-deleted",
    40405,
    "Subject '%' was not deleted first before being permanently deleted",
  ),
  VERSION_SOFT_DELETED: entry(
    404,
    "not_found",
    "Version is soft-deleted",
    40406,
    "Subject '%' Version % was soft deleted.Set permanent=true to delete permanently",
  ),
  VERSION_NOT_SOFT_DELETED: entry(
    404,
    "conflict",
    "Version is not soft-deleted",
    40407,
    "Subject '%' Version % was not deleted first before being permanently deleted",
  ),
  SUBJECT_COMPATIBILITY_NOT_SET: entry(
    404,
    "not_found",
    "No compatibility is set here",
    40408,
    "Subject '%' does not have subject-level compatibility configured",
  ),
  SUBJECT_MODE_NOT_SET: entry(
    404,
    "not_found",
    "No mode is set here",
    40409,
    "Subject '%' does not have subject-level mode configured",
  ),
  WEBHOOK_NOT_FOUND: entry(404, "not_found", "Webhook not found", 404, "Webhook % not found"),
  DELIVERY_NOT_FOUND: entry(404, "not_found", "Delivery not found", 404, "Delivery % not found"),
  ENTRY_NOT_FOUND: entry(404, "not_found", "No such entry", 404, "%"),
  PROPOSAL_NOT_FOUND: entry(404, "not_found", "Proposal not found", 404, "Proposal % not found"),
  CHANGE_SET_NOT_FOUND: entry(404, "not_found", "Change set not found", 404, "Change set % not found"),
  KEY_NOT_FOUND: entry(404, "not_found", "Key not found", 404, "Key % not found"),
  ROLE_NOT_FOUND: entry(404, "not_found", "Role not found", 404, "Role % not found"),
  GRANT_NOT_FOUND: entry(404, "not_found", "Grant not found", 404, "Grant % not found"),
  PERSON_NOT_FOUND: entry(404, "not_found", "Person not found", 404, "%"),
  TENANT_NOT_FOUND: entry(404, "not_found", "Tenant not found", 404, "Tenant % not found"),
  ASSOCIATION_NOT_FOUND: entry(404, "not_found", "Association not found", 40410, "Association for '%' not found."),

  PROTECTED: entry(409, "protected", "Subject is protected", 42205, "%"),
  FROZEN: entry(409, "frozen", "Changes are frozen", 42205, "%"),
  CONFLICT: entry(409, "conflict", "Conflict", 409, "%"),
  INCOMPATIBLE_SCHEMA: entry(
    409,
    "incompatible_schema",
    "Schema is incompatible with an earlier version",
    40901,
    'Schema being registered is incompatible with an earlier schema for subject "%", details: %',
  ),
  VERSION_EXISTS: entry(409, "version_exists", "Version exists with other content", 42201, "%"),
  TOO_MANY_ASSOCIATIONS: entry(
    409,
    "conflict",
    "Too many associations",
    40902,
    "A maximum of % associations already exist",
  ),
  ASSOCIATION_TYPE_EXISTS: entry(
    409,
    "conflict",
    "Association exists",
    40903,
    "An association of type '%' already exists for resource '%'",
  ),
  ASSOCIATION_EXISTS: entry(
    409,
    "conflict",
    "Association exists",
    40904,
    "An association already exists for subject '%'",
  ),
  STRONG_ASSOCIATION_EXISTS: entry(
    409,
    "conflict",
    "Strong association exists",
    40905,
    "A strong association already exists for subject '%'",
  ),
  NO_ACTIVE_VERSION: entry(
    409,
    "conflict",
    "No active version",
    40907,
    "No active (non-deleted) version exists for subject '%'",
  ),
  ASSOCIATION_FROZEN: entry(
    409,
    "conflict",
    "Association is frozen",
    40908,
    "The association of type  '%' is frozen for subject '%'",
  ),

  INVALID_SCHEMA: entry(422, "invalid_schema", "Schema is invalid", 42201, "%"),
  TOO_COMPLEX: entry(422, "too_complex", "Too complex to decide", 42201, "%"),
  UNSUPPORTED: entry(422, "unsupported", "Not supported", 42201, "%"),
  INVALID_VERSION: entry(
    422,
    "bad_request",
    "Invalid version",
    42202,
    "The specified version '%' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\"",
  ),
  INVALID_COMPATIBILITY_LEVEL: entry(
    422,
    "bad_request",
    "Invalid compatibility level",
    42203,
    "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive",
  ),
  INVALID_COMPATIBILITY_POLICY: entry(
    422,
    "bad_request",
    "Invalid compatibility policy",
    42203,
    "Invalid compatibility policy. Valid values are STRICT and LENIENT",
  ),
  INVALID_MODE: entry(
    422,
    "bad_request",
    "Invalid mode",
    42204,
    "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.",
  ),
  FORWARD_MODE_IS_GLOBAL: entry(
    422,
    "bad_request",
    "Invalid mode",
    42204,
    "Forward mode only supported on global level",
  ),
  OPERATION_NOT_PERMITTED: entry(409, "conflict", "Operation not permitted", 42205, "%"),
  /** A third argument is the referrer as the detail names it, to be withheld from callers who may not know of it. */
  REFERENCE_EXISTS: entry(
    409,
    "conflict",
    "Referenced by another schema",
    42206,
    "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=%,version=%}.",
  ),
  ID_DOES_NOT_MATCH: entry(
    422,
    "conflict",
    "Id belongs to other content",
    42207,
    "The ID of an imported schema does not match the existing ID",
  ),
  INVALID_SUBJECT: entry(422, "bad_request", "Invalid subject", 42208, "The specified subject '%' is not a valid."),
  SCHEMA_TOO_LARGE: entry(
    413,
    "payload_too_large",
    "Schema is too large",
    42209,
    "Register operation failed because schema is too large",
  ),
  INVALID_RULE_SET: entry(422, "bad_request", "Invalid rule set", 42210, "%"),
  CONTEXT_NOT_EMPTY: entry(409, "conflict", "Context is not empty", 42211, "The specified context '%' is not empty."),
  INVALID_ASSOCIATION: entry(
    422,
    "bad_request",
    "Invalid association",
    42212,
    "The association specified an invalid value for property: '%', detail: %",
  ),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorName = keyof typeof ERRORS;

function entry(status: number, code: string, title: string, error_code: number, template: string): ErrorEntry {
  return { status, code, title, confluent: { error_code, template } };
}

/** One of several reasons for a refusal, with its location. */
export type ErrorItem = { pointer?: string; rule?: string; message: string; line?: number; column?: number };

/** A refusal as a value, so that it can cross RPC; each API has its own renderer. */
export type Refusal = {
  error: ErrorName;
  /** The values for the `%` of the Confluent template, in order. */
  arguments: readonly string[];
  /** One sentence for readers: the problem, its location, and what is accepted. */
  detail: string;
  items?: readonly ErrorItem[];
  /** Extension members of the native problem document, such as a verdict. */
  extra?: Readonly<Record<string, unknown>>;
  retryAfterSeconds?: number;
};

export function makeRefusal(
  error: ErrorName,
  args: readonly (string | number)[],
  detail: string,
  more: Partial<Pick<Refusal, "items" | "extra" | "retryAfterSeconds">> = {},
): Refusal {
  return { error, arguments: args.map(String), detail, ...more };
}

/** The Confluent message of a refusal, with the template filled in. */
export function confluentMessage({ error, arguments: args, detail }: Refusal): string {
  let index = 0;
  return ERRORS[error].confluent.template.replaceAll("%", () => args[index++] ?? detail);
}
