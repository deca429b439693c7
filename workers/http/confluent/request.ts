/** Query parameters and bodies of the Confluent API, read as leniently as its clients expect. */
import { makeRefusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { Consistency } from "../../read-path/records.ts";
import { parseToken } from "../../read-path/token.ts";
import { type Answer, jsonTextAnswer, provenance } from "../answer.ts";
import { readBody } from "../body.ts";
import type { Call } from "../call.ts";
import { RegistryError, refusing } from "../errors.ts";
import { type Fields, readObjectFields } from "./fields.ts";
import { CONFLUENT_HEADERS, isRequestMediaType, negotiatedMediaType } from "./media-types.ts";

export type ConfluentRequest = Call & { query: QueryParameters };

export function confluentRequest(call: Call): ConfluentRequest {
  return { ...call, query: call.search === "" ? NO_QUERY : new QueryParameters(new URLSearchParams(call.search)) };
}

const MAX_INTEGER = 2 ** 31 - 1;

export class QueryParameters {
  readonly #parameters: URLSearchParams | undefined;

  constructor(parameters?: URLSearchParams) {
    this.#parameters = parameters;
  }

  text(name: string): string | undefined {
    return this.#parameters?.get(name) ?? undefined;
  }

  all(name: string): string[] {
    return this.#parameters?.getAll(name) ?? [];
  }

  /** `true` in any case; anything else is false. */
  flag(name: string): boolean {
    return this.#parameters?.get(name)?.toLowerCase() === "true";
  }

  /** The Confluent server answers a value that is not a 32-bit integer with 404. */
  integer(name: string, fallback: number): number {
    const text = this.#parameters?.get(name);
    if (text === undefined || text === null || text === "") return fallback;
    const value = parseInteger(text);
    if (value === undefined) throw noSuchPath(`Query parameter "${name}" must be an integer.`);
    return value;
  }

  get isEmpty(): boolean {
    return this.#parameters === undefined;
  }
}

const NO_QUERY = new QueryParameters();

/** A 32-bit integer as Java parses one, or undefined. */
export function parseInteger(text: string): number | undefined {
  if (!/^[+-]?\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= -MAX_INTEGER - 1 && value <= MAX_INTEGER ? value : undefined;
}

export function noSuchPath(detail: string): RegistryError {
  return new RegistryError(makeRefusal("ROUTE_NOT_FOUND", [], detail));
}

/** The requested page of a list. A limit ≤ 0 or above the maximum means the maximum. */
export function parseOffsetPage(query: QueryParameters, maximum: number): { offset: number; limit: number } {
  const limit = query.integer("limit", -1);
  return {
    offset: Math.max(0, query.integer("offset", 0)),
    limit: limit <= 0 || limit > maximum ? maximum : limit,
  };
}

/** The body as fields of a JSON object. */
export async function readFields({ request }: Call): Promise<Fields> {
  const contentType = request.headers.get("Content-Type");
  if (!isRequestMediaType(contentType)) {
    throw refusing("UNSUPPORTED_MEDIA_TYPE", `The body must be JSON, not "${contentType}".`);
  }
  const text = decodeText(await readBody(request, MAX_CONFLUENT_BODY_BYTES));
  if (text.trim() === "") throw refusing("UNPROCESSABLE", "The request body must not be null");
  return readObjectFields(parseJson(text));
}

/** Larger than a schema may be: the size limit applies to the canonical text, which can be far shorter than the sent one. */
const MAX_CONFLUENT_BODY_BYTES = 10 * 1024 * 1024;

/**
 * Detects UTF-16 by its byte order mark or by the zero byte next to the first ASCII character, as Jackson does; the charset
 * in the Content-Type is ignored.
 */
function decodeText(body: Uint8Array): string {
  const [first, second] = body;
  const encoding =
    (first === 0xfe && second === 0xff) || (first === 0 && second !== 0)
      ? "utf-16be"
      : (first === 0xff && second === 0xfe) || (first !== 0 && second === 0)
        ? "utf-16le"
        : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: false }).decode(body);
  } catch {
    throw refusing("BAD_REQUEST", "The body is neither valid UTF-8 nor valid UTF-16.");
  }
}

const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

function parseJson(text: string): unknown {
  try {
    if (!SURROGATE_ESCAPE.test(text)) return JSON.parse(text) as unknown;
    return JSON.parse(text, (_key, value: unknown) => {
      if (typeof value === "string" && !value.isWellFormed()) throw new Error("A string contains a lone surrogate.");
      return value;
    }) as unknown;
  } catch (error) {
    throw refusing("BAD_REQUEST", (error as Error).message);
  }
}

/** The state that the caller has already seen; no answer may be older. */
export function parseMinSeqToken({ request }: Pick<Call, "request">): AsOf | undefined {
  const text = request.headers.get("X-Registry-Min-Seq");
  if (text === null) return undefined;
  const token = parseToken(text);
  if (token === undefined) {
    throw refusing("BAD_REQUEST", 'Header "X-Registry-Min-Seq" must be a token from "X-Registry-Seq".');
  }
  return token;
}

const MAX_KEY_CHARACTERS = 255;

/** Repeating a write with the same key returns the first outcome. Most Confluent clients send none. */
export function idempotencyKey({ request }: Pick<Call, "request">): { idempotencyKey: string | undefined } {
  const key = request.headers.get("Idempotency-Key");
  if (key !== null && (key === "" || key.length > MAX_KEY_CHARACTERS)) {
    throw refusing("BAD_REQUEST", `An Idempotency-Key must have 1 to ${MAX_KEY_CHARACTERS} characters.`);
  }
  return { idempotencyKey: key ?? undefined };
}

/** Confluent clients cannot say how old an answer may be, so a setting does. */
export function parseConsistency(call: Pick<Call, "request" | "edge">): Consistency {
  return {
    token: parseMinSeqToken(call),
    maxAgeMs: call.edge.settings.confluentStalenessSeconds * 1_000,
    coversLatest: true,
  };
}

export function answerJson(
  call: Pick<Call, "request">,
  value: unknown,
  headers: Record<string, string> = {},
  status = 200,
): Answer {
  return answerText(call, JSON.stringify(value), headers, status);
}

/** For a body that is already text: JSON or a stored schema. */
export function answerText(
  { request }: Pick<Call, "request">,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  status = 200,
): Answer {
  const mediaType = negotiatedMediaType(request.headers.get("Accept"));
  return jsonTextAnswer(status, body, { ...CONFLUENT_HEADERS, "Content-Type": mediaType, ...headers });
}

export function answerNothing(headers: Record<string, string>): Answer {
  return { status: 204, headers: { ...CONFLUENT_HEADERS, ...headers }, body: null };
}

/** Provenance headers of an answer from the primary. */
export function answeredAt(asOf: AsOf): Record<string, string> {
  return provenance(asOf, "primary");
}
