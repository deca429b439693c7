/** Encodes a value to bytes, with the frame that consumers expect. */

import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import { schemaNotFound } from "../../registry/record.ts";
import type { DataOptions, DataValue, DataVerdict } from "../../schema/data.ts";
import { type FramedSchema, type Framing, writeFrame } from "../../schema/framing.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import type { Edge } from "../edge.ts";
import { readContent } from "../read-path/content.ts";
import { type Consistency, readRecordById } from "../read-path/records.ts";
import type { FoundTarget } from "./targets.ts";
import { dataRefusal, noSingleObject } from "./validate.ts";

/**
 * `confluent-guid` identifies the schema by its guid, as newer clients do in a header; the others by the Confluent id.
 */
export type EncodedFraming = Framing | "confluent-guid";

type Encoding = { id: string; found: FoundTarget; value: DataValue; framing: EncodedFraming; options: DataOptions };

export async function encodeMessage(
  edge: Edge,
  encoding: Encoding,
  consistency: Consistency,
): Promise<Result<Uint8Array, DataVerdict | Refusal>> {
  const { found, value, framing, options } = encoding;
  const { format, model } = found.target;
  const encoded = format.data.encode(model, value, options);
  if (!encoded.ok) return refuse("valid" in encoded.refusal ? encoded.refusal : dataRefusal(encoded.refusal));
  if (framing === "none") return encoded;
  if (framing === "single-object") {
    const fingerprint = format.data.fingerprint?.(model);
    if (fingerprint === undefined) return refuse(noSingleObject(format.name));
    return ok(writeFrame({ fingerprint }, new Uint8Array(), encoded.value));
  }
  const named = await nameOf(edge, encoding, consistency);
  if (!named.ok) return named;
  const head = format.data.confluentHead?.write(model, options.message) ?? ok(new Uint8Array());
  return head.ok ? ok(writeFrame(named.value, head.value, encoded.value)) : refuse(dataRefusal(head.refusal));
}

async function nameOf(
  edge: Edge,
  { id, framing }: Encoding,
  consistency: Consistency,
): Promise<Result<FramedSchema, Refusal>> {
  if (framing === "confluent-guid") {
    const content = await readContent(edge, { selector: { id }, token: consistency.token });
    if (!content.ok) return content;
    return "absent" in content.value ? refuse(schemaNotFound(id)) : ok({ guid: content.value.value.guid });
  }
  const read = await readRecordById(edge, { id, deleted: false }, consistency);
  if (!read.ok) return read;
  if ("missing" in read.value) return refuse(schemaNotFound(id));
  const { confluentId } = read.value.record;
  if (confluentId !== null) return ok({ confluentId });
  const detail = "A draft has no Confluent id until it is activated; frame by guid, or not at all.";
  return refuse(makeRefusal("CONFLICT", [detail], detail));
}
