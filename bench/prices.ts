/** Cloudflare's documented prices in US dollars for usage beyond what the Workers Paid plan includes, on the given date. */
export const PRICES_OF = "2026-11-30";

/** Per million. */
export const PRICES = {
  // https://developers.cloudflare.com/workers/platform/pricing/
  requests: 0.3,
  cpuMs: 0.02,
  // https://developers.cloudflare.com/durable-objects/platform/pricing/
  objectCalls: 0.15,
  gigabyteSeconds: 12.5,
  rowsRead: 0.001,
  rowsWritten: 1,
  // https://developers.cloudflare.com/kv/platform/pricing/
  kvReads: 0.5,
  kvWrites: 5,
  // https://developers.cloudflare.com/r2/pricing/
  r2Writes: 4.5,
  // https://developers.cloudflare.com/queues/platform/pricing/
  queueOperations: 0.4,
} as const;

/** An object is billed for this much memory regardless of what it uses. */
export const OBJECT_GIGABYTES = 0.128;
/** Every message is billed for a write, a read and a deletion. */
export const OPERATIONS_A_MESSAGE = 3;
