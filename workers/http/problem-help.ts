/** The meaning and the remedy of every problem code, for callers. */

export const PROBLEM_HELP: Readonly<Record<string, { meaning: string; fix: string }>> = {
  bad_request: {
    meaning:
      "The request is malformed: a field, parameter or header is missing, unknown or has a value that is not accepted.",
    fix: "Correct the entries of `errors`; each gives the location and the accepted values.",
  },
  unauthorized: { meaning: "The request carries no valid credential.", fix: "Send a valid credential." },
  forbidden: {
    meaning: "The credential lacks the permission that this route requires.",
    fix: "Use a credential with the permission that `detail` names.",
  },
  not_found: {
    meaning: "The route, subject, version or schema does not exist, or is soft-deleted.",
    fix: "Check the name; `detail` says what exists. Add `deleted=true` to read soft-deleted versions.",
  },
  method_not_allowed: {
    meaning: "The path exists but does not support this method.",
    fix: "Use one of the methods listed in `Allow`.",
  },
  not_acceptable: {
    meaning: "None of the media types in `Accept` is available here.",
    fix: "Accept one of the types that `detail` names, or omit the header.",
  },
  conflict: {
    meaning:
      "The change conflicts with the current state, for example a read-only mode or a hard delete without a prior soft delete.",
    fix: "Take the step that `detail` names, then retry the request.",
  },
  protected: {
    meaning: "The subject is protected: its versions and settings change only with approval.",
    fix: "If the problem names a `proposal`, wait for its approval; else propose the change with POST /proposals.",
  },
  frozen: {
    meaning: "Changes of the subject are frozen for a time.",
    fix: "Retry after the time in `until`.",
  },
  version_exists: {
    meaning: "This semantic version belongs to other content in the subject.",
    fix: "Register under a higher version, or omit `version`.",
  },
  incompatible_schema: {
    meaning: "The schema breaks readers or writers of an earlier version under the subject's compatibility level.",
    fix: "Follow the `fix` of each difference in `verdict`; its witness is a value that breaks. Or register under a new subject.",
  },
  precondition_failed: {
    meaning: "The record changed after you read it.",
    fix: "Read it again and send its new ETag in `If-Match`.",
  },
  precondition_required: {
    meaning: "The request must be conditional.",
    fix: "Send `If-Match` with the record's ETag.",
  },
  payload_too_large: {
    meaning: "The body or the schema's text exceeds its limit.",
    fix: "Split the schema into several that reference each other.",
  },
  unsupported_media_type: {
    meaning: "The media type, charset or encoding of the body is not supported.",
    fix: "Send the type that `detail` names, in UTF-8 and uncompressed.",
  },
  invalid_schema: {
    meaning: "The text is not a valid schema of its format, or a reference does not resolve.",
    fix: "Correct the locations in `errors`. `POST /schemas/check` checks a text without registering it.",
  },
  unsupported: {
    meaning: "The combination is not supported, for example a policy of another format.",
    fix: "Use one of the combinations that `detail` names.",
  },
  too_complex: {
    meaning: "The result cannot be computed within the limits on time and memory. The schema itself may be valid.",
    fix: "Simplify the part of the schema that `detail` names, or compare with fewer versions.",
  },
  rate_limited: { meaning: "Too many requests.", fix: "Wait for the number of seconds in `Retry-After`." },
  internal: { meaning: "A fault in the server.", fix: "Report it with the request id in `instance`." },
  not_configured: {
    meaning: "This deployment lacks the feature, for example search without a database.",
    fix: "Do not retry. The operator can configure the feature that `detail` names.",
  },
  not_ready: {
    meaning: "A part of the registry is currently unreachable.",
    fix: "Retry after the number of seconds in `Retry-After`; repeat a write with the same `Idempotency-Key`.",
  },
  busy: {
    meaning: "The registry is overloaded.",
    fix: "Retry after the number of seconds in `Retry-After`; repeat a write with the same `Idempotency-Key`.",
  },
  storage_full: {
    meaning: "The registry's storage is full.",
    fix: "Hard-delete versions that are no longer needed, or ask the operator for another tenant.",
  },
};
