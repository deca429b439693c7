/** Example requests and responses for every operation, derived from the document's examples and schemas. */

type Schema = Readonly<Record<string, unknown>>;
type Content = Readonly<Record<string, { schema: Schema; example?: unknown }>>;

type ExampleSource = {
  method: string;
  /** Includes the server's prefix. */
  path: string;
  parameters: readonly { name: string; in: string; required?: boolean; schema: Schema; example?: unknown }[];
  requestContent: Content | undefined;
  responses: Readonly<Record<string, { content?: Content }>>;
  schemas: Readonly<Record<string, Schema>>;
};

/** Nesting limit of examples, which ends recursive schemas. */
const MAX_DEPTH = 7;
const EXAMPLE_ID = "0192f0c1-7d3a-7c11-9b58-2f6d3c1a9e44";

/** Examples by field name, which are more telling than examples by type. */
const BY_NAME: Readonly<Record<string, unknown>> = {
  subject: "orders",
  context: ".",
  version: "1.4.0",
  version_number: 4,
  confluent_id: 17,
  id: EXAMPLE_ID,
  guid: "3f2a9c1e-5b7d-4e80-a6c4-1d9f0b8e7a52",
  leaf_hash: "9f86d081884c7d65".repeat(4),
  fingerprint: `sha256:${"9f86d081884c7d65".repeat(4)}`,
  role: "tool_input",
  level: "BACKWARD",
  owner: "orders-team",
  created_by: "local",
  next_cursor: "eyJhZnRlciI6NDJ9",
  cursor: "eyJhZnRlciI6NDJ9",
  seq: 1842,
  epoch: 1,
  q: "order total",
  from: "1.3.0",
  to: "1.4.0",
  webhook: EXAMPLE_ID,
  delivery: "msg_1_1842_0192f0c1",
  url: "https://example.com/hooks/registry",
  message: "The reader requires a field that the writer does not write.",
  kind: "PROPERTY_ADDED_TO_REQUIRED",
  reader_pointer: "/required",
  writer_pointer: null,
};
/** Parameters in a path without an example in the document. A version may also be selected by name or range. */
const IN_PATH: Readonly<Record<string, string>> = {
  version: "latest",
  alias: "production",
  proposal: EXAMPLE_ID,
  change_set: EXAMPLE_ID,
  day: "2026-01-15",
  batch: EXAMPLE_ID,
  tile: "0/000",
};

/** A curl command as a user would type it. */
export function exampleRequest({ method, path, parameters, requestContent, schemas }: ExampleSource): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const given = parameters.find((parameter) => parameter.in === "path" && parameter.name === name)?.example;
    return encodeURIComponent(String(given ?? IN_PATH[name] ?? BY_NAME[name] ?? name));
  });
  const query = parameters
    .filter((parameter) => parameter.in === "query" && parameter.required === true)
    .map(({ name, schema }) => `${name}=${encodeURIComponent(String(makeExample(schema, name, schemas)))}`);
  const url = `http://localhost:8080${filled}${query.length > 0 ? `?${query.join("&")}` : ""}`;
  const lines = [`curl${method === "GET" ? "" : ` -X ${method}`} '${url}'`];
  const [mediaType, media] = Object.entries(requestContent ?? {})[0] ?? [];
  if (mediaType !== undefined && media !== undefined) {
    lines.push(`  -H 'Content-Type: ${mediaType}'`);
    const isJson = mediaType === "application/json";
    lines.push(
      isJson ? `  -d '${printed(media.example ?? makeExample(media.schema, "", schemas))}'` : "  --data-binary @FILE",
    );
  }
  return lines.join(" \\\n");
}

/** The first successful response. */
export function exampleResponse({ responses, schemas }: ExampleSource): string {
  const [status, response] = Object.entries(responses).find(([code]) => /^[12]/.test(code)) ?? [];
  const [mediaType, media] = Object.entries(response?.content ?? {})[0] ?? [];
  const head = `HTTP/1.1 ${status}`;
  if (mediaType === undefined || media === undefined) return head;
  const body = mediaType.endsWith("json")
    ? `\n\n${printed(media.example ?? makeExample(media.schema, "", schemas))}`
    : "";
  return `${head}\nContent-Type: ${mediaType}${body}`;
}

/** A value that the schema accepts, as far as its examples and types determine one. */
function makeExample(schema: Schema, name: string, schemas: ExampleSource["schemas"], depth = 0): unknown {
  if (Array.isArray(schema.examples)) return schema.examples[0];
  if (typeof schema.$ref === "string") {
    const named = schemas[schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1)] ?? {};
    return depth > MAX_DEPTH ? null : makeExample(named, name, schemas, depth + 1);
  }
  const alternatives = (schema.anyOf ?? schema.oneOf) as readonly Schema[] | undefined;
  if (alternatives !== undefined) {
    return makeExample(alternatives.find(({ type }) => type !== "null") ?? {}, name, schemas, depth + 1);
  }
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum.includes(BY_NAME[name]) ? BY_NAME[name] : schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "object" || schema.properties !== undefined) return exampleObject(schema, schemas, depth);
  if (type === "array") {
    return depth > MAX_DEPTH ? [] : [makeExample((schema.items ?? {}) as Schema, name, schemas, depth + 1)];
  }
  if (Object.hasOwn(BY_NAME, name) && isOfType(BY_NAME[name], type)) return BY_NAME[name];
  return examplePrimitive(schema, type);
}

/** All required members, or all members if none is required. */
function exampleObject(schema: Schema, schemas: ExampleSource["schemas"], depth: number): unknown {
  const properties = Object.entries((schema.properties ?? {}) as Readonly<Record<string, Schema>>);
  const required = (schema.required ?? []) as readonly string[];
  const shown = required.length > 0 ? properties.filter(([key]) => required.includes(key)) : properties;
  return Object.fromEntries(shown.map(([key, value]) => [key, makeExample(value, key, schemas, depth + 1)]));
}

function examplePrimitive({ format, default: fallback, minimum }: Schema, type: unknown): unknown {
  if (fallback !== undefined) return fallback;
  if (type === "boolean") return true;
  if (type === "integer" || type === "number") return typeof minimum === "number" ? minimum : 0;
  if (type === "null") return null;
  if (type === undefined) return { type: "object" };
  if (format === "date-time") return "2026-01-15T09:30:00.000Z";
  if (format === "uuid") return EXAMPLE_ID;
  return "…";
}

function isOfType(value: unknown, type: unknown): boolean {
  if (value === null) return true;
  return typeof value === (type === "integer" ? "number" : type);
}

function printed(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
