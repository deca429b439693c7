/** Requests to the operations of the OpenAPI documents: valid ones, and the same with one thing wrong. */
import fc from "fast-check";
import confluent from "../../../contract/confluent.openapi.json";
import native from "../../../contract/openapi.json";
import {
  arbitraryOf,
  type Components,
  Earlier,
  earlier,
  FORMATS,
  type Schema,
  sometimes,
  strangeText,
  strangeValue,
  textOfSchema,
} from "./schema-values.ts";

export type FuzzRequest = {
  operationId: string;
  method: string;
  /** Path template with the server's prefix. */
  path: string;
  parameters: Readonly<Record<string, unknown>>;
  query: readonly (readonly [string, unknown])[];
  headers: Readonly<Record<string, unknown>>;
  /** JSON, or bytes that are sent as they are. */
  body: { json: unknown } | { bytes: Uint8Array } | undefined;
};

type Parameter = { name: string; in: "path" | "query" | "header"; required?: boolean; schema: Schema };
type Operation = {
  operationId: string;
  parameters?: readonly unknown[];
  requestBody?: unknown;
  responses: Readonly<Record<string, unknown>>;
};
type Document = {
  servers: readonly { url: string }[];
  paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

function requestsOf(document: Document): fc.WeightedArbitrary<FuzzRequest>[] {
  const prefix = document.servers[0]!.url.replace(/\/$/, "");
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method] as Operation | undefined;
      if (operation === undefined) return [];
      const arbitrary = requestTo(document, `${prefix}${path}`, method, item, operation);
      // Without registrations most other requests have nothing to be about.
      return [{ weight: REGISTERING.has(operation.operationId) ? 12 : 1, arbitrary }];
    }),
  );
}

const REGISTERING = new Set(["register_schema"]);

function requestTo(
  document: Document,
  path: string,
  method: string,
  item: Readonly<Record<string, unknown>>,
  operation: Operation,
): fc.Arbitrary<FuzzRequest> {
  const components = document.components.schemas as Components;
  const declared = [...((item.parameters ?? []) as unknown[]), ...(operation.parameters ?? [])].map(
    (parameter) => resolved(document, parameter) as Parameter,
  );
  const placed = (place: Parameter["in"]) => declared.filter((parameter) => parameter.in === place);
  const ownOf = ({ name, schema }: Parameter) => arbitraryOf(schema, components, name);
  const named = (own: Parameter) => ownOf(own).map((value): [string, unknown] => [own.name, value]);
  const parameters = fc.record(Object.fromEntries(placed("path").map((own) => [own.name, ownOf(own)])));
  const query = fc
    .tuple(...placed("query").map((own) => (own.required === true ? named(own) : sometimes(named(own), 3))))
    .map((pairs) => pairs.filter((pair) => pair !== undefined).flatMap(([name, value]) => repeated(name, value)));
  const headers = fc.record(
    Object.fromEntries(
      placed("header").map(({ name, schema }) => [
        name,
        sometimes(HEADER_HINTS[name] ?? arbitraryOf(schema, components), 4),
      ]),
    ),
  );
  const request = fc.record({
    operationId: fc.constant(operation.operationId),
    method: fc.constant(method.toUpperCase()),
    path: fc.constant(path),
    parameters,
    query,
    headers,
    body: bodyOf(document, operation, components),
  }) as fc.Arbitrary<FuzzRequest>;
  return fc.oneof(
    { weight: 3, arbitrary: request },
    { weight: 1, arbitrary: fc.tuple(request, mutation).map(([valid, mutate]) => mutate(valid)) },
  );
}

/** A parameter that is declared as a list is repeated. */
function repeated(name: string, value: unknown): [string, unknown][] {
  return Array.isArray(value) ? value.map((item): [string, unknown] => [name, item]) : [[name, value]];
}

const HEADER_HINTS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  "X-Registry-Min-Seq": fc.oneof(earlier("token"), fc.constantFrom("1.999999.0", "1.999999.999999", "2.1.1", "0.0.0")),
  "Idempotency-Key": fc.constantFrom("key-1", "key-2", "key-3"),
  "If-Match": fc.oneof(earlier("etag"), fc.constantFrom('"1"', "*", "W/x")),
  "If-None-Match": fc.oneof(earlier("etag"), fc.constantFrom("*", '"x", "y"')),
  "X-Registry-Override": fc.constantFrom("an incident", " "),
};

function bodyOf(document: Document, operation: Operation, components: Components): fc.Arbitrary<FuzzRequest["body"]> {
  if (operation.requestBody === undefined) return fc.constant(undefined);
  const { content } = resolved(document, operation.requestBody) as { content: Record<string, { schema: Schema }> };
  const schema = content["application/json"]?.schema;
  if (schema === undefined) return fc.uint8Array({ maxLength: 200 }).map((bytes) => ({ bytes }));
  return fc
    .tuple(arbitraryOf(schema, components), fc.nat({ max: 3 }))
    .map(([json, chance]) => ({ json: chance === 0 ? json : registrable(json) }));
}

/** A registration that says the format of its schema, and asks for neither an id nor references that are made up. */
function registrable(json: unknown): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  const { content, schema, id: _, references: __, ...rest } = json as Record<string, unknown>;
  const format = FORMATS.get(textOfSchema(content ?? schema));
  if (format === undefined) return json;
  return content === undefined
    ? { ...rest, schema, schemaType: format.schemaType }
    : { ...rest, content, format: format.format };
}

function resolved(document: Document, value: unknown): unknown {
  const { $ref } = value as { $ref?: string };
  if ($ref === undefined) return value;
  const [, , kind, name] = $ref.split("/");
  return document.components[kind!]![name!];
}

type Mutation = (request: FuzzRequest) => FuzzRequest;

const WRONG_BODIES: readonly Uint8Array[] = [
  "",
  "{",
  "[]",
  "null",
  '"text"',
  '{"a":1}{"b":2}',
  '{"subject":"\\ud800"}',
  '{"schema":"a","schema":"b"}',
  `${"[".repeat(2_000)}${"]".repeat(2_000)}`,
  `{"subject":"orders","format":"avro","content":${"9".repeat(400)}}`,
  `\u{feff}{}`,
]
  .map((text) => new TextEncoder().encode(text))
  .concat([
    Uint8Array.of(0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00),
    Uint8Array.of(0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d),
    Uint8Array.of(0x1f, 0x8b, 0x08, 0x00),
    Uint8Array.of(0x00, 0x00, 0x00, 0x00, 0x01, 0x02, 0x61),
  ]);
const MEDIA_TYPES = [
  "text/plain",
  "application/json; charset=utf-16",
  "application/json;",
  "application/vnd.schemaregistry+json",
  "application/x-ndjson",
  "application/octet-stream",
  "application/avro",
  "application/protobuf",
  "multipart/form-data; boundary=x",
  "nonsense",
];
const ACCEPTED = ["text/html", "application/xml", "*/*;q=0", "application/json;q=nonsense", "", "text/event-stream"];

const withHeader =
  (name: string, value: unknown): Mutation =>
  (request) => ({
    ...request,
    headers: { ...request.headers, [name]: value },
  });

/** One change that makes a request wrong, or strange. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.constantFrom(...WRONG_BODIES).map(
    (bytes): Mutation =>
      (request) => ({ ...request, body: { bytes } }),
  ),
  fc.uint8Array({ maxLength: 64 }).map(
    (bytes): Mutation =>
      (request) => ({ ...request, body: { bytes } }),
  ),
  fc.tuple(fc.nat({ max: 50 }), strangeValue).map(
    ([place, value]): Mutation =>
      (request) =>
        withMember(request, place, value),
  ),
  fc.tuple(fc.nat({ max: 50 }), strangeText).map(
    ([place, text]): Mutation =>
      (request) =>
        withParameter(request, place, text),
  ),
  fc.tuple(fc.nat({ max: 50 }), strangeText).map(
    ([place, text]): Mutation =>
      (request) =>
        withQuery(request, place, text),
  ),
  strangeText.map(
    (name): Mutation =>
      (request) => ({ ...request, query: [...request.query, [name, "x"]] }),
  ),
  fc.constant<Mutation>((request) => ({ ...request, query: [...request.query, ...request.query] })),
  fc.constantFrom(...MEDIA_TYPES).map((mediaType) => withHeader("Content-Type", mediaType)),
  fc.constantFrom(...ACCEPTED).map((accepted) => withHeader("Accept", accepted)),
  fc.constantFrom("gzip", "br", "nonsense").map((encoding) => withHeader("Content-Encoding", encoding)),
  fc
    .tuple(
      fc.constantFrom(
        "X-Registry-Min-Seq",
        "X-Registry-Consistency",
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "X-Request-ID",
        "traceparent",
        "X-Schema-Guid",
        "X-Registry-Override",
        "Authorization",
        "Origin",
      ),
      strangeText,
    )
    .map(([name, text]) => withHeader(name, text)),
  fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD").map(
    (method): Mutation =>
      (request) => ({ ...request, method }),
  ),
  fc.constantFrom("/contexts/staging", "/contexts/%3A.a%3A", "/contexts/a:b", "/contexts//", "//").map(
    (prefix): Mutation =>
      (request) => ({ ...request, path: prefix + request.path }),
  ),
);

/** Replaces, removes or adds a member of the body. */
function withMember(request: FuzzRequest, place: number, value: unknown): FuzzRequest {
  if (request.body === undefined || !("json" in request.body)) return request;
  const json = structuredCloneOf(request.body.json);
  const holders = holdersIn(json);
  if (holders.length === 0) return { ...request, body: { json: value } };
  const [holder, key] = holders[place % holders.length]!;
  if (place % 3 === 0) delete (holder as Record<string, unknown>)[key];
  else (holder as Record<string, unknown>)[place % 3 === 1 ? key : `${key}x`] = value;
  return { ...request, body: { json } };
}

/** A copy; values of earlier answers are shared, because they never change. */
function structuredCloneOf(value: unknown): unknown {
  if (value instanceof Earlier || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(structuredCloneOf);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, structuredCloneOf(member)]));
}

function holdersIn(value: unknown): [object, string][] {
  if (typeof value !== "object" || value === null || value instanceof Earlier) return [];
  return Object.entries(value).flatMap(([key, member]): [object, string][] => [[value, key], ...holdersIn(member)]);
}

function withParameter(request: FuzzRequest, place: number, text: string): FuzzRequest {
  const names = Object.keys(request.parameters);
  if (names.length === 0) return request;
  return { ...request, parameters: { ...request.parameters, [names[place % names.length]!]: text } };
}

function withQuery(request: FuzzRequest, place: number, text: string): FuzzRequest {
  if (request.query.length === 0) return request;
  const changed = place % request.query.length;
  return { ...request, query: request.query.map((pair, index) => (index === changed ? [pair[0], text] : pair)) };
}

/** A request to any operation of either document. */
export const requests: fc.Arbitrary<FuzzRequest> = fc.oneof(
  ...[native, confluent].map((document) => fc.oneof(...requestsOf(document as unknown as Document))),
);

/** How many operations there are. */
export const OPERATION_COUNT = [native, confluent].reduce(
  (count, document) => count + requestsOf(document as unknown as Document).length,
  0,
);
