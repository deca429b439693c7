/** A raw schema file as the request body: its text and its format. */
import type { FormatName } from "../../../schema/format.ts";
import { parseJsonText } from "../../../schema/json-text.ts";
import { readBodyText } from "../body.ts";
import { refusing } from "../errors.ts";
import type { NativeRequest } from "./request.ts";

const FORMAT_BY_MEDIA_TYPE: Readonly<Record<string, FormatName>> = {
  "application/schema+json": "json-schema",
  "application/vnd.apache.avro+json": "avro",
  "text/x-protobuf": "protobuf",
};

/**
 * From the media type, else from the parameter; undefined if neither names a format, as with curl's default media type.
 */
export function fileFormat({ request, query }: NativeRequest): FormatName | undefined {
  const asked = query.format as FormatName | undefined;
  const [mediaType = "", ...parameters] = (request.headers.get("Content-Type") ?? "").toLowerCase().split(";");
  if (parameters.some((parameter) => /^\s*charset=(?!"?utf-?8"?\s*$)/.test(parameter))) {
    throw refusing("UNSUPPORTED_MEDIA_TYPE", "A schema file must be UTF-8.");
  }
  const named = FORMAT_BY_MEDIA_TYPE[mediaType.trim()];
  if (named === undefined || asked === undefined || named === asked) return named ?? asked;
  const detail = `The media type "${mediaType.trim()}" means ${named}, but the parameter "format" is ${asked}.`;
  throw refusing("BAD_REQUEST", detail, { items: [{ rule: "format", message: detail }] });
}

/** Returns the body, or refuses a JSON request that merely wraps a schema. */
export async function readSchemaFile(request: Request): Promise<string> {
  const text = await readBodyText(request);
  const parsed = parseJsonText(text);
  if (!parsed.ok || parsed.value.root.type !== "object") return text;
  const { members } = parsed.value.root;
  const isConfluent = members.get("schema")?.type === "string" && !members.has("type");
  if (isConfluent) {
    throw wrapped(
      "a request of the Confluent API",
      "to /subjects/{subject}/versions, outside /api/v1, or only its schema here",
    );
  }
  const isNative = members.has("content") && (members.has("format") || members.has("subject")) && !members.has("type");
  if (isNative) throw wrapped("a request for POST /api/v1/schemas", "there, or only its content here");
  return text;
}

function wrapped(what: string, where: string) {
  const detail = `The body is ${what} and not a schema: send it ${where}.`;
  return refusing("BAD_REQUEST", detail, { items: [{ pointer: "", rule: "schema_file", message: detail }] });
}
