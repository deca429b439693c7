/**
 * The message type in the Confluent wire format: zigzag varints before the message, a count and then positions in the
 * text.
 */
import { type DataRefusal, type DataVerdict, unreadable } from "../../data.ts";
import { ok, type Result, refuse } from "../../result.ts";
import { MalformedBytes, WireReader, WireWriter } from "../codec/wire.ts";
import type { ProtobufModel } from "../model.ts";
import { findMessageIndexes, messageNameAt } from "./message-types.ts";

/** Maximum nesting of messages. */
const MAX_INDEXES = 100;

export function readMessageIndexes(
  model: ProtobufModel,
  bytes: Uint8Array,
): Result<{ payload: Uint8Array; message: string }, DataVerdict> {
  const expected = "the indexes of a message of the schema";
  try {
    const reader = new WireReader(bytes);
    const count = zigzag(reader.varint());
    if (count < 0 || count > MAX_INDEXES) return refuse(unreadable("framing", expected, `a count of ${count}`));
    // A single zero is the short form of the first message.
    const indexes = count === 0 ? [0] : Array.from({ length: count }, () => zigzag(reader.varint()));
    const message = messageNameAt(model, indexes);
    if (message === undefined) return refuse(unreadable("framing", expected, `[${indexes.join(", ")}]`));
    return ok({ payload: reader.rest(), message });
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
    return refuse(unreadable("framing", expected, `bytes that are none: ${error.message}`));
  }
}

export function writeMessageIndexes(model: ProtobufModel, name: string): Result<Uint8Array, DataRefusal> {
  const indexes = findMessageIndexes(model, name);
  if (indexes === undefined) {
    return refuse({
      reason: "unsupported",
      message: `Only messages of the schema itself have indexes, not "${name}".`,
    });
  }
  const writer = new WireWriter();
  if (indexes.length === 1 && indexes[0] === 0) return ok(Uint8Array.of(0));
  for (const number of [indexes.length, ...indexes]) writer.varint(BigInt(number) << 1n);
  return ok(writer.finish());
}

function zigzag(value: bigint): number {
  return Number((value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n);
}
