// The published document of the Confluent API, from contract/confluent.openapi.yaml. What all operations share is added here: media types, headers of answers and errors.
import { parse } from "yaml";
import { ERRORS } from "../contract/errors.ts";
import { CONFLUENT_MEDIA_TYPES } from "../workers/http/confluent/media-types.ts";

type Content = Record<string, unknown>;
type Body = { content?: Content };
type Response = Body & { description: string; headers?: Record<string, unknown> };
type Ref = { $ref: string };
type Operation = {
  requestBody?: Body | Ref;
  responses: Record<string, Response | Ref>;
  /** Codes beyond those that every operation may answer. Only in the source. */
  "x-error-codes"?: readonly number[];
};
type PathItem = Record<string, unknown>;
type Document = {
  paths: Record<string, PathItem>;
  components: {
    responses: Record<string, Response>;
    requestBodies: Record<string, Body>;
    schemas: Record<string, unknown>;
  };
};

const METHODS = ["get", "post", "put", "delete"] as const;

/** Errors that precede the operation or do not depend on it. */
const EVERYWHERE = [400, 401, 403, 404, 406, 429, 500, 50001, 50002, 503];
const WITH_BODY = [413, 415, 422];
/** An Idempotency-Key of another request. */
const WITH_IDEMPOTENCY_KEY = [422];

const HEADERS: Readonly<Record<string, string>> = {
  "X-Request-ID": "RequestId",
  "X-RateLimit-Limit": "RateLimitLimit",
  "X-RateLimit-Remaining": "RateLimitRemaining",
  "X-RateLimit-Reset": "RateLimitReset",
};
const REGISTRY_HEADERS: Readonly<Record<string, string>> = { "X-Registry-Seq": "Seq", "X-Registry-Source": "Source" };
const RETRIED = new Set(["429", "500", "503"]);

export function confluentOpenapiJson(yaml: string): string {
  const document = parse(yaml, { maxAliasCount: -1, merge: true }) as Document;
  const { responses, requestBodies } = document.components;
  for (const response of Object.values(responses)) completeResponse(response);
  for (const body of Object.values(requestBodies)) body.content = inEveryMediaType(body.content!);
  for (const item of Object.values(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method] as Operation | undefined;
      if (operation !== undefined) item[method] = completed(operation, document.components);
    }
  }
  return `${JSON.stringify(document, null, 2)}\n`;
}

function completed(source: Operation, shared: Document["components"]): Operation {
  const { "x-error-codes": own = [], ...operation } = structuredClone(source);
  const { requestBody, responses } = operation;
  if (requestBody !== undefined && !("$ref" in requestBody)) {
    requestBody.content = inEveryMediaType(requestBody.content!);
  }
  for (const response of Object.values(responses)) if (!("$ref" in response)) completeResponse(response);
  const takesKey = JSON.stringify(operation).includes('"#/components/parameters/IdempotencyKey"');
  const codes = new Set([
    ...EVERYWHERE,
    ...own,
    ...(requestBody === undefined ? [] : WITH_BODY),
    ...(takesKey ? WITH_IDEMPOTENCY_KEY : []),
  ]);
  for (const [status, ofStatus] of Map.groupBy([...codes].sort(byDigits), statusOf)) {
    const name = `Error_${ofStatus.join("_")}`;
    shared.schemas[name] ??= errorSchema(ofStatus);
    shared.responses[name] ??= errorResponse(name, String(status), ofStatus);
    responses[status] = { $ref: `#/components/responses/${name}` };
  }
  return operation;
}

function completeResponse(response: Response): void {
  response.headers = { ...response.headers, ...references({ ...HEADERS, ...REGISTRY_HEADERS }) };
  if (response.content !== undefined) response.content = inEveryMediaType(response.content);
}

function errorSchema(codes: readonly number[]): object {
  return {
    type: "object",
    required: ["error_code", "message"],
    properties: { error_code: { enum: codes }, message: { type: "string" } },
  };
}

/** The schema has the response's name, so that its media types only refer to it. */
function errorResponse(name: string, status: string, codes: readonly number[]): Response {
  return {
    description: codes.map((code) => `\`${code}\`: ${titlesOf(code).join(", ")}.`).join(" "),
    headers: references({ ...HEADERS, ...(RETRIED.has(status) ? { "Retry-After": "RetryAfter" } : {}) }),
    content: inEveryMediaType({ "application/json": { schema: { $ref: `#/components/schemas/${name}` } } }),
  };
}

function inEveryMediaType({ "application/json": said }: Content): Content {
  return Object.fromEntries(CONFLUENT_MEDIA_TYPES.map((mediaType) => [mediaType, said]));
}

function references(headers: Readonly<Record<string, string>>): Record<string, Ref> {
  const entries = Object.entries(headers).map(([name, key]) => [name, { $ref: `#/components/headers/${key}` }]);
  return Object.fromEntries(entries);
}

/** The first three digits of a five-digit code. */
function statusOf(code: number): number {
  return code >= 10_000 ? Math.floor(code / 100) : code;
}

function byDigits(a: number, b: number): number {
  return statusOf(a) - statusOf(b) || a - b;
}

function titlesOf(code: number): string[] {
  const named = Object.values(ERRORS).filter(({ confluent }) => confluent.error_code === code);
  return [...new Set([...named.map(({ title }) => title), ...(TITLES[code] === undefined ? [] : [TITLES[code]])])];
}

/** Codes that only an earlier release answers. */
const TITLES: Readonly<Record<number, string>> = {
  409: "up to 8.1, a schema that is incompatible with an earlier version",
};
