/** Request bodies: size-limited while streaming, strictly UTF-8, JSON with the location of every mistake. */
import { makeRefusal } from "../../contract/errors.ts";
import { type JsonNode, parseJsonText, pointerToken } from "../../schema/json-text.ts";
import { RegistryError, refusing } from "./errors.ts";

/** The native API's limit; a schema's text may be 1 MiB, and JSON escaping may double it. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/**
 * How much of a refused body is still read, so that a client that is still sending receives the response instead of a
 * broken connection.
 */
const MAX_DISCARDED_BYTES = 32 * 1024 * 1024;

/** Reads the whole body. Refuses it as soon as it exceeds the limit, even if its headers declare less. */
export async function readBody(request: Request, maxBytes: number = MAX_BODY_BYTES): Promise<Uint8Array> {
  const encoding = request.headers.get("Content-Encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    throw refusing(
      "UNSUPPORTED_MEDIA_TYPE",
      `Content-Encoding "${encoding}" is not supported: send the body uncompressed.`,
    );
  }
  const declared = request.headers.get("Content-Length");
  const isDeclaredTooLarge = declared !== null && Number(declared) > maxBytes;
  // Touching the stream costs more than the rest of a small request. HTTP ends a body at its declared length.
  if (declared !== null && !isDeclaredTooLarge) {
    const body = new Uint8Array(await request.arrayBuffer());
    if (body.byteLength > maxBytes) throw tooLarge(maxBytes);
    return body;
  }
  if (request.body === null) {
    if (isDeclaredTooLarge) throw tooLarge(maxBytes);
    return new Uint8Array(0);
  }
  const reader = (request.body as ReadableStream<Uint8Array>).getReader();
  if (isDeclaredTooLarge) {
    await discard(reader);
    throw tooLarge(maxBytes);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    if (bytes > maxBytes) {
      await discard(reader);
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
  if (chunks.length === 1) return chunks[0]!;
  const body = new Uint8Array(bytes);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return body;
}

async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (let bytes = 0; bytes <= MAX_DISCARDED_BYTES; ) {
    const { done, value } = await reader.read();
    if (done) return;
    bytes += value.byteLength;
  }
  await reader.cancel();
}

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** The body's text. Invalid UTF-8 is refused instead of repaired, because what is stored must be what was sent. */
export async function readBodyText(request: Request): Promise<string> {
  const body = await readBody(request);
  try {
    return STRICT_UTF8.decode(body);
  } catch {
    throw refusing("BAD_REQUEST", "The body is not valid UTF-8.", {
      items: [{ rule: "utf8", message: "Invalid UTF-8." }],
    });
  }
}

/** The body as a JSON tree, which preserves the spelling of numbers and the order of keys. */
export async function readJson(request: Request): Promise<JsonNode> {
  const text = await readBodyText(request);
  if (text.trim() === "") throw refusing("BAD_REQUEST", "The body is empty (expected a JSON object).");
  const parsed = parseJsonText(text);
  if (parsed.ok) {
    if (SURROGATE_ESCAPE.test(text)) requireWellFormed(parsed.value.root, "");
    return parsed.value.root;
  }
  const { rule, message, line, column } = parsed.refusal.problem;
  throw new RegistryError(
    makeRefusal("BAD_REQUEST", [message], `The body is not valid JSON: ${message}`, {
      items: [{ rule, message, ...(line && column ? { line, column } : {}) }],
    }),
  );
}

const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/** A lone surrogate cannot be stored as UTF-8, so the stored text would differ from what was sent. */
function requireWellFormed(node: JsonNode, pointer: string): void {
  switch (node.type) {
    case "string":
      if (!node.value.isWellFormed()) throw loneSurrogate(pointer);
      return;
    case "array":
      node.items.forEach((item, index) => {
        requireWellFormed(item, `${pointer}/${index}`);
      });
      return;
    case "object":
      for (const [key, member] of node.members) {
        if (!key.isWellFormed()) throw loneSurrogate(pointer);
        requireWellFormed(member, `${pointer}/${pointerToken(key)}`);
      }
  }
}

function loneSurrogate(pointer: string): RegistryError {
  const message = "A string contains a lone surrogate, which is not a Unicode character.";
  return refusing("BAD_REQUEST", message, { items: [{ pointer, rule: "unicode", message }] });
}

/**
 * Whether a body with this Content-Type is parsed as JSON. A missing type counts as JSON, because many clients omit it.
 */
export function isJsonMediaType(contentType: string | null): boolean {
  if (contentType === null) return true;
  const [mediaType = "", ...parameters] = contentType.toLowerCase().split(";");
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith("charset="));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) return false;
  return /^application\/(?:[\w.-]+\+)?json$/.test(mediaType.trim());
}

/** Whether an Accept header allows one of these media types. */
export function accepts(accept: string | null, mediaTypes: readonly string[]): boolean {
  if (accept === null || accept === "*/*" || accept.trim() === "") return true;
  return accept
    .toLowerCase()
    .split(",")
    .some((part) => {
      const [range = "", ...parameters] = part.split(";").map((piece) => piece.trim());
      if (parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter))) return false;
      return (
        range === "*/*" ||
        // The wildcard as Java's HttpURLConnection sends it.
        range === "*" ||
        mediaTypes.some(
          (mediaType) => range === mediaType || range === `${mediaType.slice(0, mediaType.indexOf("/"))}/*`,
        )
      );
    });
}

function tooLarge(maxBytes: number): RegistryError {
  return refusing("PAYLOAD_TOO_LARGE", `The body exceeds the maximum of ${maxBytes} bytes.`);
}
