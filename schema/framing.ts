/**
 * Message frames that identify the writer's schema: the Confluent wire format (a magic byte and an id or a guid) and
 * Avro's single-object encoding (two magic bytes and a fingerprint).
 */
import { type DataVerdict, unreadable } from "./data.ts";
import { ok, type Result, refuse } from "./result.ts";

const FRAMINGS = ["none", "confluent", "single-object"] as const;
export type Framing = (typeof FRAMINGS)[number];

/** How a frame identifies the schema. `fingerprint` is Avro's. */
export type FramedSchema = { confluentId: number } | { guid: string } | { fingerprint: Uint8Array };

type Frame = { schema: FramedSchema; rest: Uint8Array };

const CONFLUENT_ID_MAGIC = 0;
const CONFLUENT_GUID_MAGIC = 1;
const SINGLE_OBJECT_MAGIC = [0xc3, 0x01] as const;
const ID_BYTES = 4;
const GUID_BYTES = 16;
const FINGERPRINT_BYTES = 8;

/** Removes a frame. */
export function readFrame(bytes: Uint8Array, framing: Exclude<Framing, "none">): Result<Frame, DataVerdict> {
  if (framing === "single-object") {
    if (bytes[0] !== SINGLE_OBJECT_MAGIC[0] || bytes[1] !== SINGLE_OBJECT_MAGIC[1]) {
      return unframed("the bytes c3 01 of Avro's single-object encoding", shown(bytes, 2));
    }
    if (bytes.length < 2 + FINGERPRINT_BYTES) return unframed("a fingerprint of 8 bytes", counted(bytes.length - 2));
    return ok({
      schema: { fingerprint: bytes.subarray(2, 2 + FINGERPRINT_BYTES) },
      rest: bytes.subarray(2 + FINGERPRINT_BYTES),
    });
  }
  switch (bytes[0]) {
    case CONFLUENT_ID_MAGIC: {
      if (bytes.length < 1 + ID_BYTES) return unframed("a schema id of 4 bytes", counted(bytes.length - 1));
      const view = new DataView(bytes.buffer, bytes.byteOffset + 1, ID_BYTES);
      return ok({ schema: { confluentId: view.getUint32(0) }, rest: bytes.subarray(1 + ID_BYTES) });
    }
    case CONFLUENT_GUID_MAGIC: {
      if (bytes.length < 1 + GUID_BYTES) return unframed("a guid of 16 bytes", counted(bytes.length - 1));
      return ok({
        schema: { guid: printGuid(bytes.subarray(1, 1 + GUID_BYTES)) },
        rest: bytes.subarray(1 + GUID_BYTES),
      });
    }
    default:
      return unframed("the magic byte 00 (an id follows) or 01 (a guid follows)", shown(bytes, 1));
  }
}

/** The frame of a message; `head` is the format's part after the schema's identifier. */
export function writeFrame(schema: FramedSchema, head: Uint8Array, payload: Uint8Array): Uint8Array {
  const name = nameBytes(schema);
  const framed = new Uint8Array(name.length + head.length + payload.length);
  framed.set(name);
  framed.set(head, name.length);
  framed.set(payload, name.length + head.length);
  return framed;
}

function nameBytes(schema: FramedSchema): Uint8Array {
  if ("fingerprint" in schema) return Uint8Array.of(...SINGLE_OBJECT_MAGIC, ...schema.fingerprint);
  if ("guid" in schema) {
    const digits = schema.guid.replaceAll("-", "");
    const bytes = Array.from({ length: GUID_BYTES }, (_, index) =>
      Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
    );
    return Uint8Array.of(CONFLUENT_GUID_MAGIC, ...bytes);
  }
  const bytes = new Uint8Array(1 + ID_BYTES);
  new DataView(bytes.buffer).setUint32(1, schema.confluentId);
  return bytes;
}

function printGuid(bytes: Uint8Array): string {
  const digits = hex(bytes);
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    "-",
  );
}

function shown(bytes: Uint8Array, count: number): string {
  return bytes.length === 0 ? "no bytes" : hex(bytes.subarray(0, count));
}

function counted(bytes: number): string {
  return `${Math.max(bytes, 0)} bytes`;
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function unframed(expected: string, got: string) {
  return refuse(unreadable("framing", expected, got));
}
