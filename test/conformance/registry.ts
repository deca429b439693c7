/**
 * The registry under test: a started one, or in the workers project the app itself (package.json, imports). The tests
 * of a file share it, so each uses its own subjects and contexts and restores the top level. Every answer is compared
 * with the OpenAPI document.
 */
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { useRegistryUnderTest } from "#registry-under-test";
import { confluentProblems } from "../support/confluent-contract.ts";

export type Answer = {
  status: number;
  body: unknown;
  text: string;
  headers: Headers;
};

export const MEDIA_TYPE = "application/vnd.schemaregistry.v1+json";

export type Registry = {
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  put(path: string, body: unknown): Promise<Answer>;
  delete(path: string): Promise<Answer>;
  /** Posts bytes without a Content-Type. */
  send(path: string, body: Uint8Array): Promise<Answer>;
  /** Registers, expecting success. */
  register(subject: string, body: object | string): Promise<Registered>;
};

export type Registered = { id: number; version: number; guid: string; schema: string };

export function useRegistry(): Registry {
  const underTest = useRegistryUnderTest();
  const answered = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await underTest.fetch(path, init);
    const text = await response.text();
    const { status, headers } = response;
    expect(confluentProblems(init.method ?? "GET", path, { status, headers, text }), path).toEqual([]);
    return { status, headers, text, body: parsed(text) };
  };
  const call: Registry["call"] = async (method, path, body, headers = {}) => {
    const sent = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const type = body === undefined ? {} : { "Content-Type": MEDIA_TYPE };
    return answered(path, { method, headers: { ...type, ...headers }, ...sent });
  };
  return {
    call,
    get: (path, headers) => call("GET", path, undefined, headers),
    post: (path, body, headers) => call("POST", path, body, headers),
    put: (path, body) => call("PUT", path, body),
    delete: (path) => call("DELETE", path),
    send: (path, body) => answered(path, { method: "POST", body }),
    async register(subject, body) {
      const sent = typeof body === "string" ? { schema: body } : body;
      const answer = await call("POST", `/subjects/${encodeURIComponent(subject)}/versions`, sent);
      if (answer.status !== 200) throw new Error(`Registering under ${subject} gives ${answer.status} ${answer.text}`);
      return answer.body as Registered;
    },
  };
}

/** A name that no other test uses. */
export function unique(name: string): string {
  return `${name}-${randomUUID().slice(0, 8)}`;
}

/** The contents of an error response. */
export function error(errorCode: number, message: string | RegExp): { status: number; body: object } {
  return {
    status: errorCode >= 10_000 ? Math.floor(errorCode / 100) : errorCode,
    body: { error_code: errorCode, message: typeof message === "string" ? message : expect.stringMatching(message) },
  };
}

/** The canonical text of a record with these string fields; those with `?` have a default. */
export function record(...fields: string[]): string {
  return recordNamed("Order", ...fields);
}

/** The same with a unique name, for a test that needs distinct content. */
export function recordNamed(name: string, ...fields: string[]): string {
  return JSON.stringify({
    type: "record",
    name: name.replaceAll("-", "_"),
    fields: fields.map((field) =>
      field.endsWith("?") ? { name: field.slice(0, -1), type: "string", default: "" } : { name: field, type: "string" },
    ),
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
