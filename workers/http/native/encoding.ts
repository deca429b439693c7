/** `/schemas/{id}/encode` and `/decode`: conversion between JSON and the bytes of a message. */
import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import { encodeBase64 } from "../../../schema/base64.ts";
import type { DataVerdict } from "../../../schema/data.ts";
import { writeDataText } from "../../../schema/data-text.ts";
import type { FormatName } from "../../../schema/format.ts";
import { type EncodedFraming, encodeMessage } from "../../validation/encode.ts";
import { readTarget } from "../../validation/targets.ts";
import { decodeMessage, unframe } from "../../validation/validate.ts";
import { type Answer, jsonTextAnswer, provenance } from "../answer.ts";
import { RegistryError } from "../errors.ts";
import {
  parseDataOptions,
  parseFraming,
  parsePayload,
  readDataBody,
  readEnvelope,
  readMessageBytes,
  requireFormat,
} from "./data-request.ts";
import { parseConsistency } from "./records.ts";
import { type NativeRequest, refuseItems } from "./request.ts";
import type { Shape } from "./shapes.ts";

/** Data of artefacts is JSON. */
const MEDIA_TYPES: Readonly<Partial<Record<FormatName, string>>> = {
  "json-schema": "application/json",
  avro: "application/avro",
  protobuf: "application/protobuf",
};

export async function postEncoding(request: NativeRequest): Promise<Answer> {
  const { edge, path, query } = request;
  const fields = await readEnvelope<Shape<"DataToEncode">>(request);
  const consistency = parseConsistency(request);
  const found = required(await readTarget(edge, { id: path.id! }, consistency));
  const framing = (query.framing as EncodedFraming | undefined) ?? "none";
  const options = parseDataOptions(request, fields.message);
  const bytes = required(
    await encodeMessage(edge, { id: path.id!, found, value: fields.data, framing, options }, consistency),
  );
  const headers = provenance(found.asOf, found.source);
  if (asksForJson(request)) {
    const body = { data_base64: encodeBase64(bytes), bytes: bytes.length, framing };
    return jsonTextAnswer(200, JSON.stringify(body), headers);
  }
  const mediaType =
    framing === "none" ? (MEDIA_TYPES[found.target.format.name] ?? "application/json") : "application/octet-stream";
  return { status: 200, headers: { "Content-Type": mediaType, ...headers }, body: bytes };
}

/** Bytes are the default response; JSON is for callers that accept it explicitly. */
function asksForJson({ request }: NativeRequest): boolean {
  return /^\s*application\/json\b/i.test(request.headers.get("Accept") ?? "");
}

export async function postDecoding(request: NativeRequest): Promise<Answer> {
  const { edge, path } = request;
  const body = readDataBody(request);
  const message = await readMessage(request, body.form);
  const found = required(await readTarget(edge, { id: path.id! }, parseConsistency(request)));
  requireFormat(body, found.target.format.name);
  const unframed = required(await unframe(edge, found, message.bytes, message.framing));
  const options = parseDataOptions(request, unframed.message ?? message.name);
  const { value, warnings } = required(decodeMessage(found.target, unframed.payload, options));
  const named = unframed.message === undefined ? {} : { message: unframed.message };
  const rest = JSON.stringify({ ...named, warnings });
  return jsonTextAnswer(200, `{"data":${writeDataText(value)},${rest.slice(1)}`, provenance(found.asOf, found.source));
}

async function readMessage(request: NativeRequest, form: "json" | "lines" | "bytes") {
  if (form === "bytes")
    return { bytes: await readMessageBytes(request), framing: parseFraming(request), name: undefined };
  if (form === "lines") {
    refuseItems([{ rule: "body", message: "Decoding requires one message: as bytes, or as data_base64 in JSON." }]);
  }
  const fields = await readEnvelope<Shape<"DataToDecode">>(request);
  const payload = parsePayload(fields);
  if (!("bytes" in payload)) throw new Error("The OpenAPI document requires data_base64.");
  return { ...payload, name: fields.message };
}

function required<Value>(result: { ok: true; value: Value } | { ok: false; refusal: Refusal | DataVerdict }): Value {
  if (result.ok) return result.value;
  const { refusal } = result;
  throw new RegistryError("valid" in refusal ? invalidData(refusal) : refusal);
}

/** Data that cannot be encoded or decoded, with every location. */
function invalidData({ errors }: DataVerdict): Refusal {
  const items = errors.map(({ pointer, keyword, message }) => ({ pointer, rule: keyword, message }));
  const detail = `The data do not match the schema: ${items[0]?.message ?? "no details are available."}`;
  return makeRefusal("UNPROCESSABLE", [detail], detail, { items });
}
