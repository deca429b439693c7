/** Schemas to register: generated ones, all different and of one size, and those of the corpus. */
import { applyLoad, type Measured, requestBytes } from "./load.ts";
import type { Bench } from "./part.ts";

/** About the size of a small event's schema. Real schemas are in the corpus. */
export function avroSchema(n: number): object {
  return {
    type: "record",
    name: "Event",
    namespace: "bench",
    fields: [
      { name: "id", type: "string" },
      { name: "at", type: { type: "long", logicalType: "timestamp-millis" } },
      { name: `field_${n}`, type: ["null", "string"], default: null },
    ],
  };
}

export function registration(subject: string, n: number): Buffer {
  return requestBytes("POST", "/api/v1/schemas", JSON.stringify({ subject, format: "avro", content: avroSchema(n) }));
}

type RegisteredRecord = { id: string; version_number: number; seq: number };

/** Registers one schema and returns its record. */
export async function registerNth(
  url: string,
  subject: string,
  n: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<RegisteredRecord> {
  const response = await fetch(`${url}/api/v1/schemas`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ subject, format: "avro", content: avroSchema(n) }),
  });
  if (!response.ok) throw new Error(`Registering gives ${response.status}: ${await response.text()}`);
  return (await response.json()) as RegisteredRecord;
}

const FILL_STEP = 5_000;
const FILL_CONNECTIONS = 16;

/**
 * Registers schemas number `from` to `to`, spread over subjects by `subjectOf`, and returns the rate of the last step.
 */
export async function fill(
  bench: Bench,
  port: number,
  { from, to, subjectOf }: { from: number; to: number; subjectOf(n: number): string },
): Promise<Measured | undefined> {
  let last: Measured | undefined;
  for (let at = from; at < to; at += FILL_STEP) {
    const count = Math.min(FILL_STEP, to - at);
    last = await applyLoad({
      port,
      connections: FILL_CONNECTIONS,
      count,
      request: (n) => registration(subjectOf(at + n), at + n),
    });
    requireAnswered(last);
    if (to - from > FILL_STEP) bench.progress(`${at + count} schemas, ${Math.round(last.perSecond)} registrations/s`);
  }
  return last;
}

export function requireAnswered({ refused, firstRefusal }: Measured): void {
  if (refused > 0) throw new Error(`${refused} requests were refused, the first with ${firstRefusal}`);
}
