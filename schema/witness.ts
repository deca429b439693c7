/** A datum that proves a difference: the writer accepts it, the reader does not. Shown only once confirmed. */
export type Witness =
  | {
      status: "confirmed";
      /** The datum as JSON (Avro: its JSON encoding; Protobuf: its JSON mapping under the writer). */
      datum: unknown;
      /** The encoded datum, base64, for formats with a binary form. */
      binary?: string;
      /** What the reader makes of it: an error message, or the reading that lost its meaning. */
      reader_result: string;
      /** The validator or codec that confirmed both halves. */
      confirmed_by: string;
    }
  | { status: "not_found"; reason: string };

export type WitnessOptions = {
  /** Same seed, same witnesses. */
  seed: number;
  /** The most candidate data tried per difference. */
  maxAttempts: number;
  /** What a writer is assumed to produce, as in the comparison. */
  writers: "declared" | "any";
};

export const DEFAULT_WITNESS_ATTEMPTS = 200;
/** A shown datum is for people: a larger one is not a better proof. */
export const MAX_WITNESS_BYTES = 16_384;
