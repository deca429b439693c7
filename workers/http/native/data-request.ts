/** Data in a request: as JSON in an envelope, as the bytes of a message by their media type, or as lines. */
import { makeRefusal } from "../../../contract/errors.ts";
import { decodeBase64 } from "../../../schema/base64.ts";
import type { DataOptions } from "../../../schema/data.ts";
import { readDataText } from "../../../schema/data-text.ts";
import type { FormatName } from "../../../schema/format.ts";
import type { Framing } from "../../../schema/framing.ts";
import { passesMicros } from "../../../schema/slices.ts";
import type { TargetSelector } from "../../validation/targets.ts";
import { MAX_MESSAGE_BYTES, type Payload } from "../../validation/validate.ts";
import { isJsonMediaType, readBody, readBodyText } from "../body.ts";
import { RegistryError, refusing } from "../errors.ts";
import { textParameter } from "./fields.ts";
import type { NativeRequest } from "./request.ts";
import { refuseItems } from "./request.ts";
import type { Shape } from "./shapes.ts";

/** The media type's meaning for the bytes; null if any format is possible. */
const BINARY_MEDIA_TYPES: Readonly<Record<string, FormatName | null>> = {
  "application/octet-stream": null,
  "application/avro": "avro",
  "application/vnd.apache.avro": "avro",
  "avro/binary": "avro",
  "application/protobuf": "protobuf",
  "application/vnd.google.protobuf": "protobuf",
  "application/x-protobuf": "protobuf",
};
const LINES_MEDIA_TYPES = new Set(["application/x-ndjson", "application/ndjson", "application/jsonl"]);

type DataBody =
  | { form: "json" }
  | { form: "lines" }
  /** `format` is the format of the bytes according to the media type. */
  | { form: "bytes"; mediaType: string; format: FormatName | null };

/** The kind of the body according to the Content-Type. */
export function readDataBody({ request }: NativeRequest): DataBody {
  const contentType = request.headers.get("Content-Type");
  const mediaType = (contentType ?? "").split(";")[0]!.trim().toLowerCase();
  if (LINES_MEDIA_TYPES.has(mediaType)) return { form: "lines" };
  if (Object.hasOwn(BINARY_MEDIA_TYPES, mediaType)) {
    return { form: "bytes", mediaType, format: BINARY_MEDIA_TYPES[mediaType]! };
  }
  if (isJsonMediaType(contentType)) return { form: "json" };
  const known = [...Object.keys(BINARY_MEDIA_TYPES), ...LINES_MEDIA_TYPES].join(", ");
  throw refusing("UNSUPPORTED_MEDIA_TYPE", `The body must be application/json, ${known}, not "${contentType}".`);
}

/** Refuses bytes whose media type names a different format than the schema's. */
export function requireFormat(body: DataBody, format: FormatName): void {
  if (body.form !== "bytes" || body.format === null || body.format === format) return;
  const detail = `The media type "${body.mediaType}" means ${body.format}, but the schema is ${format}.`;
  throw refusing("UNSUPPORTED_MEDIA_TYPE", detail);
}

/** The envelope, validated against the contract; its integers are exact, and no name is repeated. */
export async function readEnvelope<Body>(request: NativeRequest): Promise<Body> {
  const text = await readBodyText(request.request);
  if (text.trim() === "") throw refusing("BAD_REQUEST", "The body is empty (expected a JSON object).");
  const read = readDataText(text);
  await request.edge.work.spend(passesMicros(text.length));
  if (read.ok) {
    const { value } = read;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      refuseItems([{ pointer: "", rule: "type", message: "Expected an object." }]);
    }
    refuseItems(request.checkBody!(value));
    return value as Body;
  }
  const [error] = read.refusal.errors;
  const message = error!.message;
  const items = [{ rule: error!.keyword, message }];
  throw new RegistryError(makeRefusal("BAD_REQUEST", [message], `The body cannot be read: ${message}`, { items }));
}

export function readMessageBytes({ request }: NativeRequest): Promise<Uint8Array> {
  return readBody(request, MAX_MESSAGE_BYTES);
}

type DataFields = Pick<Shape<"DataToValidate">, "data" | "data_base64" | "framing">;

/** The data of an envelope or of one of its items; `place` is the object's own pointer. */
export function parsePayload(fields: DataFields, place = ""): Payload {
  const { data, data_base64: base64, framing } = fields;
  if (Object.hasOwn(fields, "data") === (base64 !== undefined)) {
    const message = 'Send either "data", a JSON value, or "data_base64", the bytes of a message.';
    refuseItems([{ pointer: `${place}/data`, rule: "data", message }]);
  }
  if (base64 === undefined) return { value: data };
  return { bytes: requireBytes(base64, `${place}/data_base64`), framing: framing ?? "none" };
}

function requireBytes(base64: string, pointer: string): Uint8Array {
  let bytes: Uint8Array | undefined;
  try {
    bytes = decodeBase64(base64);
  } catch {
    refuseItems([{ pointer, rule: "base64", message: "Expected base64 with the alphabet of RFC 4648, section 4." }]);
  }
  if (bytes!.length > MAX_MESSAGE_BYTES) {
    refuseItems([{ pointer, rule: "too_large", message: `A message may have at most ${MAX_MESSAGE_BYTES} bytes.` }]);
  }
  return bytes!;
}

export function parseFraming(request: NativeRequest): Framing {
  return (request.query.framing as Framing | undefined) ?? "none";
}

/** Options for reading data, from the query; the envelope may name a different message. */
export function parseDataOptions(request: NativeRequest, message?: string): DataOptions {
  const named = message ?? textParameter(request, "message");
  return {
    formats: request.query.formats !== "annotate",
    ...(named === undefined ? {} : { message: named }),
    ...(request.query.unions === undefined ? {} : { unions: request.query.unions as "wrapped" | "plain" }),
  };
}

type SchemaFields = {
  id?: string;
  guid?: string;
  confluent_id?: number;
  subject?: string;
  version?: string | number;
  context?: string;
};

const SCHEMA_FIELDS = ["id", "guid", "confluent_id", "subject"] as const;

/** The single schema that an object identifies. Undefined if there is none. */
export function parseTargetSelector(fields: SchemaFields, place = ""): TargetSelector | undefined {
  const named = SCHEMA_FIELDS.filter((name) => fields[name] !== undefined);
  const { id, guid, confluent_id: confluentId, subject, version, context } = fields;
  if (named.length > 1) {
    const message = `Name the schema once: ${named.map((name) => `"${name}"`).join(" and ")} are given.`;
    refuseItems([{ pointer: `${place}/${named[1]}`, rule: "schema", message }]);
  }
  if (version !== undefined && subject === undefined) {
    refuseItems([{ pointer: `${place}/version`, rule: "schema", message: '"version" requires "subject".' }]);
  }
  if (id !== undefined) return { id };
  if (guid !== undefined) return { guid: guid.toLowerCase() };
  if (confluentId !== undefined) return { confluentId, context };
  if (subject !== undefined) return { subject, context, version: String(version ?? "latest") };
  return undefined;
}

/** From the header of a Kafka message. */
export function parseHeaderGuid({ header }: NativeRequest): string | undefined {
  return header["X-Schema-Guid"] as string | undefined;
}

export function selectorOfQuery(request: NativeRequest): TargetSelector | undefined {
  const headerGuid = parseHeaderGuid(request);
  return parseTargetSelector({
    ...(request.query as SchemaFields),
    ...(headerGuid === undefined ? {} : { guid: headerGuid }),
  });
}

export function requireSelector(selector: TargetSelector | undefined, place = ""): TargetSelector {
  if (selector !== undefined) return selector;
  const message = 'Name the schema: "id", "guid", "confluent_id", or "subject" with "version".';
  return refuseItems([{ pointer: place, rule: "schema", message }]) as never;
}
