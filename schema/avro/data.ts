/** Avro's implementation of validating, encoding and decoding values. */
import type { DataOperations, DataOptions, DataRefusal } from "../data.ts";
import { invalid, unreadable, VALID } from "../data.ts";
import { pointerToken } from "../json-text.ts";
import { ok, refuse } from "../result.ts";
import { encodeDatum, tryDecodeDatum } from "./codec/binary.ts";
import { DatumError, DatumTooLarge, datumToJson } from "./codec/datum.ts";
import { readDatum } from "./codec/read-json.ts";
import { compilableAvro } from "./compilable.ts";
import type { AvroModel } from "./model.ts";
import { schemaFingerprint } from "./text/fingerprint.ts";

/**
 * Values of one datum, including defaults: a block of nulls takes a few bytes for any number of them. They are read
 * without a pause, in a tenth of a second.
 */
export const MAX_AVRO_VALUES = 150_000;

export const avroData: DataOperations<AvroModel> = {
  validate({ root }, value) {
    return withinBounds(() => {
      const { errors, warnings } = readDatum(root, value, MAX_AVRO_VALUES);
      if (errors.length > 0) return ok(invalid(errors, warnings));
      return ok(warnings.length === 0 ? VALID : { valid: true, errors: [], warnings });
    });
  },
  encode({ root }, value) {
    return withinBounds(() => {
      const { datum, errors, warnings } = readDatum(root, value, MAX_AVRO_VALUES);
      if (datum === undefined) return refuse(invalid(errors, warnings));
      return ok(encodeDatum(root, datum, MAX_AVRO_VALUES));
    });
  },
  decode({ root }, bytes, { unions = "wrapped" }: DataOptions) {
    return withinBounds(() => {
      const decoded = tryDecodeDatum(root, bytes, MAX_AVRO_VALUES);
      if ("datum" in decoded) {
        const form = { largeLong: (long: bigint) => long, wrapsUnions: unions === "wrapped" };
        return ok({ value: datumToJson(root, decoded.datum, form), warnings: [] });
      }
      const { problem, offset, path } = decoded;
      const pointer = path.map((token) => `/${pointerToken(token)}`).join("");
      const got = `bytes that are not one (at byte ${offset}): ${problem.replace(/\.$/, "")}`;
      return refuse(unreadable("avro_binary", "one datum of the schema in Avro's binary encoding", got, pointer));
    });
  },
  compilable(model, form) {
    const compilable = compilableAvro(model, form);
    return compilable && { ...compilable, maxValues: MAX_AVRO_VALUES };
  },
  fingerprint: schemaFingerprint,
};

/** Errors in a stored schema's defaults are the schema's fault; everything else that is thrown is a limit. */
function withinBounds<T>(work: () => T): T | { ok: false; refusal: DataRefusal } {
  try {
    return work();
  } catch (error) {
    if (error instanceof DatumTooLarge) return refuse({ reason: "too_complex", message: error.message });
    if (error instanceof DatumError) return refuse({ reason: "invalid_schema", message: error.message });
    throw error;
  }
}
