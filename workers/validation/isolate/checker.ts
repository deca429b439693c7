/**
 * Runs in a loaded isolate: applies compiled schemas to data. It only confirms valid data; invalid and unusual data are
 * left to the interpreter, which finds the reasons.
 */
import { parsePlainData } from "../../../schema/data-text.ts";

/** Replaces the value of a text that is not JSON, or that only the interpreter reads exactly. */
export const UNUSUAL = Symbol("unusual");

/** One datum, decoded once for all schemas. */
export class Input {
  readonly bytes: Uint8Array;
  #value: unknown;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The value of a JSON text, or UNUSUAL. */
  value(): unknown {
    this.#value ??= readPlainValue(this.bytes);
    return this.#value;
  }
}

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

function readPlainValue(bytes: Uint8Array): unknown {
  try {
    const read = parsePlainData(STRICT_UTF8.decode(bytes));
    return read === undefined ? UNUSUAL : read.value;
  } catch {
    return UNUSUAL;
  }
}

/** A compiled schema. May throw instead of returning false. */
export type IsCertainlyValid = (input: Input) => boolean;

/** A schema that the compiler refuses, as avsc does with a few names, is the interpreter's. */
export function compileAll<Schema>(
  schemas: readonly Schema[],
  compile: (schema: Schema) => IsCertainlyValid,
): IsCertainlyValid[] {
  return schemas.map((schema) => {
    try {
      return compile(schema);
    } catch {
      return () => false;
    }
  });
}

/**
 * One byte for each datum and schema, all schemas of the first datum first: 1 if it is certainly valid. `ends` are the
 * offsets after each datum.
 */
export function checkAll(
  schemas: readonly IsCertainlyValid[],
  bytes: Uint8Array,
  ends: readonly number[],
): Uint8Array<ArrayBuffer> {
  const answers = new Uint8Array(ends.length * schemas.length);
  let start = 0;
  let at = 0;
  for (const end of ends) {
    const input = new Input(bytes.subarray(start, end));
    for (const isCertainlyValid of schemas) {
      try {
        if (isCertainlyValid(input)) answers[at] = 1;
      } catch {
        // What cannot be decided here is the interpreter's.
      }
      at += 1;
    }
    start = end;
  }
  return answers;
}
