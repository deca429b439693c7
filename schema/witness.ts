/** A datum that proves a difference: the writer accepts it and the reader does not. Only shown once confirmed. */
export type Witness =
  | {
      status: "confirmed";
      /** The datum as JSON (Avro: its JSON encoding; Protobuf: its JSON mapping under the writer). */
      datum: unknown;
      /** The encoded datum, base64, for formats with a binary form. */
      binary?: string;
      /** The reader's result: an error message, or the value whose meaning was lost. */
      reader_result: string;
      /** The validator or codec that confirmed both halves. */
      confirmed_by: string;
    }
  | { status: "not_found"; reason: string };

export type WitnessOptions = {
  /** The same seed gives the same witnesses. */
  seed: number;
  /** The maximum amount of candidate data tried per difference. */
  maxAttempts: number;
  /** What a writer is assumed to produce, as in the comparison. */
  writers: "declared" | "any";
  /** As in the comparison. */
  isBareRootEmpty?: boolean;
};

export const DEFAULT_WITNESS_ATTEMPTS = 200;
/** Witnesses are read by humans; a larger datum is not a better proof. */
export const MAX_WITNESS_BYTES = 16_384;
