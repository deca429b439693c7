/** Calls of the Confluent API in tests: every answer is compared with the OpenAPI document. */
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import type { Bindings } from "../../../workers/edge.ts";
import { confluentProblems } from "../../support/confluent-contract.ts";
import { hostilePlatform, type Platform, plainPlatform } from "../../support/platform.ts";

export type Called = { status: number; body: unknown; text: string; headers: Headers };

export const MEDIA_TYPE = "application/vnd.schemaregistry.v1+json";

const BINDINGS = env as unknown as Bindings;

/** For `describe.each(WAYS)("… on the $name platform", ({ open }) => …)`: an empty registry each time. */
export const WAYS: readonly { name: string; open(options?: { vars?: Partial<Bindings> }): ConfluentRegistry }[] = [
  { name: "plain", open: (options = {}) => new ConfluentRegistry(plainPlatform({ env: BINDINGS, ...options })) },
  { name: "hostile", open: (options = {}) => new ConfluentRegistry(hostilePlatform({ env: BINDINGS, ...options })) },
];

export function openRegistry(options: { vars?: Partial<Bindings> } = {}): ConfluentRegistry {
  return WAYS[0]!.open(options);
}

export class ConfluentRegistry {
  readonly platform: Platform;

  constructor(platform: Platform) {
    this.platform = platform;
  }

  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Called> {
    const sent = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const type = body === undefined ? {} : { "Content-Type": MEDIA_TYPE };
    const response = await this.platform.fetch(path, { method, headers: { ...type, ...headers }, ...sent });
    const text = await response.text();
    const called = { status: response.status, headers: response.headers, text, body: parsed(text) };
    expect(called.status, text).toBeLessThan(500);
    if (called.status >= 400) {
      expect(called.body).toEqual({ error_code: expect.any(Number), message: expect.any(String) });
    }
    expect(confluentProblems(method, path, called), path).toEqual([]);
    return called;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Called> {
    return this.call("GET", path, undefined, headers);
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Called> {
    return this.call("POST", path, body, headers);
  }

  put(path: string, body: unknown): Promise<Called> {
    return this.call("PUT", path, body);
  }

  delete(path: string): Promise<Called> {
    return this.call("DELETE", path);
  }

  /** Registers, expecting success, and returns the id and version. */
  async register(subject: string, schema: unknown, more: object = {}): Promise<{ id: number; version: number }> {
    const text = typeof schema === "string" ? schema : JSON.stringify(schema);
    const called = await this.post(`/subjects/${encodeURIComponent(subject)}/versions`, { schema: text, ...more });
    expect(called.status, called.text).toBe(200);
    return called.body as { id: number; version: number };
  }
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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
