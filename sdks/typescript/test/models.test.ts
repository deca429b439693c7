/** The models are those of contract/openapi.yaml. The compiler does the comparing: each assignment fails where one side changes alone. */
import { describe, expect, it } from "vitest";
import { ERRORS } from "../../../contract/errors.ts";
import type { components } from "../../../contract/openapi-types.ts";
import type {
  ApiErrorCode,
  Difference,
  Problem,
  Projection,
  SchemaContent,
  SchemaRecord,
  SearchHit,
  SubjectSummary,
  Verdict,
} from "../src/index.ts";

type Schemas = components["schemas"];
/** The document's types are read-only. */
type Writable<Value> = Value extends readonly (infer Item)[]
  ? Writable<Item>[]
  : Value extends object
    ? { -readonly [Member in keyof Value]: Writable<Value[Member]> }
    : Value;
type Reads<Model, Answer extends Model> = [Model, Answer];

export type Checked = [
  Reads<SchemaRecord, Writable<Schemas["Record"]>>,
  Reads<SchemaContent, Writable<Schemas["Content"]>>,
  Reads<SubjectSummary, Writable<Schemas["Subject"]>>,
  Reads<Difference, Writable<Schemas["Difference"]>>,
  Reads<Verdict, Writable<Schemas["CompatibilityVerdict"]>>,
  Reads<Projection, Writable<Schemas["Projection"]>>,
  Reads<Pick<Problem, "code" | "detail" | "status">, Writable<Pick<Schemas["Problem"], "code" | "detail" | "status">>>,
  Reads<SearchHit["record"], Writable<Schemas["SearchPage"]["items"][number]["record"]>>,
  Reads<Schemas["Problem"]["code"], ApiErrorCode>,
];

describe("ApiErrorCode", () => {
  it("has every code of the registry", () => {
    const codes = [...new Set(Object.values(ERRORS).map(({ code }) => code))].sort();
    const known: Record<ApiErrorCode, true> = {
      bad_request: true,
      unauthorized: true,
      forbidden: true,
      not_found: true,
      method_not_allowed: true,
      not_acceptable: true,
      conflict: true,
      version_exists: true,
      protected: true,
      frozen: true,
      incompatible_schema: true,
      precondition_failed: true,
      payload_too_large: true,
      unsupported_media_type: true,
      invalid_schema: true,
      unsupported: true,
      too_complex: true,
      precondition_required: true,
      rate_limited: true,
      internal: true,
      not_configured: true,
      not_ready: true,
      busy: true,
      storage_full: true,
    };

    expect(codes.filter((code) => !(code in known))).toEqual([]);
  });
});
