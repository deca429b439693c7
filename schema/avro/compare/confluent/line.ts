/** A difference as one line of a verbose Confluent compatibility answer. */
import type { Difference } from "../../../compatibility.ts";

/** Tools search such lines for `errorType:`; the rest is for people. */
export function confluentLine({ kind, message, reader_pointer, writer_pointer }: Difference): string {
  const places = [
    reader_pointer === null ? null : `reader: ${reader_pointer || "/"}`,
    writer_pointer === null ? null : `writer: ${writer_pointer || "/"}`,
  ];
  return `{errorType:'${kind}', description:'${message}', additionalInfo:'${places.filter((place) => place !== null).join(", ")}'}`;
}
