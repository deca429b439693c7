/** Calls of the native API in tests: every response is validated against the OpenAPI document. */
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import openapi from "../../../contract/openapi.json";
import type { Bindings } from "../../../workers/edge.ts";
import { DocumentedAnswers } from "../../support/documented-answers.ts";
import {
  type HostilePlatform,
  hostilePlatform,
  type Platform,
  plainPlatform,
  type TestEdge,
} from "../../support/platform.ts";

export type Called = { status: number; headers: Headers; body: unknown; text: string };
export type CallOptions = {
  body?: unknown;
  /** Sent verbatim instead of `body`. */
  raw?: BodyInit;
  headers?: Record<string, string>;
};
export type RecordBody = {
  id: string;
  subject: string;
  context: string;
  version: string | null;
  version_number: number | null;
  content: unknown;
  guid: string;
  confluent_id: number | null;
  state: string;
  seq: number;
  deleted?: true;
  warnings?: { rule: string; message: string; pointer?: string }[];
  [field: string]: unknown;
};
export type ProblemBody = {
  code: string;
  detail: string;
  errors?: { pointer?: string; rule?: string; message: string }[];
};

const BINDINGS = env as unknown as Bindings;

/** For `describe.each(WAYS)("… on the $name platform", ({ open }) => …)`: an empty registry each time. */
export const WAYS: readonly { name: string; open(options?: { vars?: Partial<Bindings> }): Registry }[] = [
  { name: "plain", open: (options = {}) => new Registry(plainPlatform({ env: BINDINGS, ...options })) },
  { name: "hostile", open: (options = {}) => new Registry(hostilePlatform({ env: BINDINGS, ...options })) },
];

export function plainRegistry(options: { vars?: Partial<Bindings> } = {}): Registry {
  return new Registry(plainPlatform({ env: BINDINGS, ...options }));
}

export function hostileRegistry(options: { vars?: Partial<Bindings> } = {}): Registry & { platform: HostilePlatform } {
  return new Registry(hostilePlatform({ env: BINDINGS, ...options })) as Registry & { platform: HostilePlatform };
}

export class Registry {
  readonly platform: Platform;

  constructor(platform: Platform) {
    this.platform = platform;
  }

  call(method: string, path: string, options: CallOptions = {}): Promise<Called> {
    return callThrough(this.platform, method, path, options);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Called> {
    return this.call("GET", path, { headers });
  }

  /** Registers, expecting success. */
  async register(subject: string, content: unknown, more: Record<string, unknown> = {}): Promise<RecordBody> {
    const { status, body, text } = await this.call("POST", "/schemas", {
      body: { subject, format: "avro", content, ...more },
    });
    expect(status, text).toBeLessThan(300);
    return body as RecordBody;
  }

  /** The seq of the last entry of the log. */
  async lastSeq(): Promise<number> {
    const { headers } = await this.get("/health/ready");
    return Number(headers.get("X-Registry-Seq")?.split(".")[1]);
  }
}

/** One call through one edge. `path` is without the prefix of the native API, unless it begins with `//`. */
export async function callThrough(
  edge: TestEdge,
  method: string,
  path: string,
  { body, raw, headers = {} }: CallOptions = {},
): Promise<Called> {
  const full = path.startsWith("//") ? path.slice(1) : `/api/v1${path}`;
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await edge.fetch(full, {
    method,
    headers: { ...(sent === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
    ...(sent === undefined ? {} : { body: sent }),
  });
  // Not text(): the runtime warns about media types that it does not treat as text.
  const text = new TextDecoder().decode(await response.arrayBuffer());
  const mediaType = response.headers.get("Content-Type") ?? "";
  const isLines = mediaType.includes("ndjson");
  const isJson = mediaType.includes("json") && text !== "";
  const called: Called = {
    status: response.status,
    headers: response.headers,
    body: isJson ? (isLines ? linesOf(text) : JSON.parse(text)) : undefined,
    text,
  };
  expectContract(method, full, called);
  return called;
}

/** A record schema of Avro with these string fields; those with `?` have a default. */
export function avroRecord(...fields: string[]): object {
  return {
    type: "record",
    name: "Order",
    fields: fields.map((field) =>
      field.endsWith("?") ? { name: field.slice(0, -1), type: "string", default: "" } : { name: field, type: "string" },
    ),
  };
}

const ANSWERS = new DocumentedAnswers(openapi, [openapi.servers[0]!.url, ""]);

/** Every response has a documented status, media type and body. */
function expectContract(method: string, path: string, called: Called): void {
  const { status, headers, text } = called;
  expect(headers.get("X-Request-ID")).toMatch(/^[\x21-\x7e]{1,128}$/);
  expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
  expect(text).not.toMatch(/\n\s+at .*:\d+:\d+/);
  const operation = ANSWERS.operationAt(method, path);
  if (operation === undefined) expect(status).toBeGreaterThanOrEqual(400);
  else expect(ANSWERS.problems(operation, called)).toEqual([]);
}

/** The values of a stream of JSON lines; the last line is terminated like the others. */
function linesOf(text: string): unknown[] {
  expect(text.endsWith("\n")).toBe(true);
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line));
}
