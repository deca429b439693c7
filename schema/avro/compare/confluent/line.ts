/** Renders a difference as one line of a verbose Confluent compatibility response. */
import type { Difference } from "../../../compatibility.ts";

/** Tools match `errorType:` in these lines; the rest is for humans. */
export function confluentLine({ kind, message, reader_pointer, writer_pointer }: Difference): string {
  const places = [
    reader_pointer === null ? null : `reader: ${reader_pointer || "/"}`,
    writer_pointer === null ? null : `writer: ${writer_pointer || "/"}`,
  ];
  return `{errorType:'${kind}', description:'${message}', additionalInfo:'${places.filter((place) => place !== null).join(", ")}'}`;
}
