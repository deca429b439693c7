/** What every code of a problem means to a caller, and what to do about it. */

export const PROBLEM_HELP: Readonly<Record<string, { meaning: string; fix: string }>> = {
  bad_request: {
    meaning:
      "The request is malformed: a field, parameter or header is missing, unknown or has a value that is not accepted.",
    fix: "Correct what `errors` names; each entry has the place and the values that are accepted.",
  },
  unauthorized: { meaning: "The request carries no valid credential.", fix: "Send a valid one." },
  forbidden: {
    meaning: "The credential does not carry the permission that this route asks for.",
    fix: "Use one that does; `detail` names the permission.",
  },
  not_found: {
    meaning: "The route, subject, version or schema does not exist, or is soft-deleted.",
    fix: "Check the name; `detail` says what exists. Add `deleted=true` to read what is soft-deleted.",
  },
  method_not_allowed: {
    meaning: "The path exists, but not with this method.",
    fix: "Use one of the methods in `Allow`.",
  },
  not_acceptable: {
    meaning: "None of the media types in `Accept` is available here.",
    fix: "Accept one that `detail` names, or leave the header out.",
  },
  conflict: {
    meaning:
      "The change contradicts the present state, such as a soft delete that has not come first or a read-only mode.",
    fix: "Do what `detail` asks for first, then repeat the request.",
  },
  version_exists: {
    meaning: "This semantic version belongs to other content in the subject.",
    fix: "Register under a higher version, or leave `version` out.",
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
    meaning: "The body has a media type, charset or encoding that is not read here.",
    fix: "Send what `detail` names, in UTF-8 and uncompressed.",
  },
  invalid_schema: {
    meaning: "The text is not a valid schema of its format, or a reference does not resolve.",
    fix: "Correct the places in `errors`. `POST /schemas/check` tries a text without registering it.",
  },
  unsupported: {
    meaning: "The combination has no meaning, such as a policy of another format.",
    fix: "Use one that `detail` names.",
  },
  too_complex: {
    meaning:
      "The answer cannot be computed within the limits on time and memory. It does not mean that the schema is wrong.",
    fix: "Simplify the place that `detail` names, or compare with fewer versions.",
  },
  rate_limited: { meaning: "Too many requests.", fix: "Wait for the seconds in `Retry-After`." },
  internal: { meaning: "A fault of the server.", fix: "Report it with the request id in `instance`." },
  not_configured: {
    meaning: "This deployment does not have that part, such as search without a database.",
    fix: "Do not repeat the request. The operator can configure the part that `detail` names.",
  },
  not_ready: {
    meaning: "A part of the registry cannot be reached at the moment.",
    fix: "Repeat the request after the seconds in `Retry-After`, a write with the same `Idempotency-Key`.",
  },
  busy: {
    meaning: "The registry has more to do than it can take.",
    fix: "Repeat the request after the seconds in `Retry-After`, a write with the same `Idempotency-Key`.",
  },
  storage_full: {
    meaning: "The registry's storage is full.",
    fix: "Permanently delete what is no longer needed, or ask the operator for another tenant.",
  },
};
