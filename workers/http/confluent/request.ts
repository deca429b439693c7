/** A Confluent request: query parameters and bodies, read as leniently as clients of that API expect. */
import { refuse } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { Consistency } from "../../read-path/records.ts";
import { parseToken } from "../../read-path/token.ts";
import { type Answer, jsonTextAnswer, provenance } from "../answer.ts";
import { readBody } from "../body.ts";
import type { Call } from "../call.ts";
import { RegistryError, refusing } from "../errors.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { CONFLUENT_HEADERS, isRequestMediaType, negotiatedMediaType } from "./media-types.ts";

export type ConfluentRequest = Call & { query: Query };

export function confluentRequest(call: Call): ConfluentRequest {
  return { ...call, query: call.search === "" ? NO_QUERY : new Query(new URLSearchParams(call.search)) };
}

const MAX_INTEGER = 2 ** 31 - 1;

export class Query {
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

  /** Anything but `true` is false, in any case. */
  flag(name: string): boolean {
    return this.#parameters?.get(name)?.toLowerCase() === "true";
  }

  /** What is no 32-bit integer makes the path one that does not exist, as in the reference. */
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

const NO_QUERY = new Query();

/** An integer of 32 bits as the reference's framework reads one, or undefined. */
export function parseInteger(text: string): number | undefined {
  if (!/^[+-]?\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= -MAX_INTEGER - 1 && value <= MAX_INTEGER ? value : undefined;
}

export function noSuchPath(detail: string): RegistryError {
  return new RegistryError(refuse("ROUTE_NOT_FOUND", [], detail));
}

/** The page a list is cut to: a limit of zero or less, or above the maximum, is the maximum. */
export function pageOf(query: Query, maximum: number): { offset: number; limit: number } {
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
  return fieldsOf(parseJson(text));
}

/** The canonical text is what counts as a schema's size, and it may be far shorter than what was sent. */
export const MAX_CONFLUENT_BODY_BYTES = 10 * 1024 * 1024;

/**
 * UTF-8, or UTF-16 as it shows itself by a byte order mark or by the zeros beside ASCII, whatever the Content-Type says:
 * clients write JSON in the encoding of their platform.
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
      if (typeof value === "string" && !value.isWellFormed()) throw new Error("A string holds half a surrogate pair.");
      return value;
    }) as unknown;
  } catch (error) {
    throw refusing("BAD_REQUEST", (error as Error).message);
  }
}

/** The state the caller has seen, if it says so: no answer may be older. */
export function tokenOf({ request }: Pick<Call, "request">): AsOf | undefined {
  const text = request.headers.get("X-Registry-Min-Seq");
  if (text === null) return undefined;
  const token = parseToken(text);
  if (token === undefined) {
    throw refusing("BAD_REQUEST", 'Header "X-Registry-Min-Seq" must be a token from "X-Registry-Seq".');
  }
  return token;
}

const MAX_KEY_CHARACTERS = 255;

/** A repeat of a write with the same key gives the first outcome; most clients of this API send none. */
export function idempotencyKey({ request }: Pick<Call, "request">): { idempotencyKey: string | undefined } {
  const key = request.headers.get("Idempotency-Key");
  if (key !== null && (key === "" || key.length > MAX_KEY_CHARACTERS)) {
    throw refusing("BAD_REQUEST", `An Idempotency-Key has 1 to ${MAX_KEY_CHARACTERS} characters.`);
  }
  return { idempotencyKey: key ?? undefined };
}

/** Clients of this API cannot say how old an answer may be, so the operator does. */
export function consistencyOf(call: Pick<Call, "request" | "edge">): Consistency {
  return { token: tokenOf(call), maxAgeMs: call.edge.settings.confluentStalenessSeconds * 1_000, coversLatest: true };
}

export function answerJson(
  call: Pick<Call, "request">,
  value: unknown,
  headers: Record<string, string> = {},
  status = 200,
): Answer {
  return answerText(call, JSON.stringify(value), headers, status);
}

/** For a body that is text already: JSON, or a schema as it is stored. */
export function answerText(
  { request }: Pick<Call, "request">,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  status = 200,
): Answer {
  const mediaType = negotiatedMediaType(request.headers.get("Accept"));
  return jsonTextAnswer(status, body, { ...CONFLUENT_HEADERS, "Content-Type": mediaType, ...headers });
}

/** For what was done and has nothing to show. */
export function answerNothing(headers: Record<string, string>): Answer {
  return { status: 204, headers: { ...CONFLUENT_HEADERS, ...headers }, body: null };
}

/** As of which state the primary answered. */
export function answeredAt(asOf: AsOf): Record<string, string> {
  return provenance(asOf, "primary");
}
