/** What Cloudflare charges on the Workers Paid plan beyond what is included, in US dollars, as its documentation had it on the date. */
export const PRICES_OF = "2026-11-30";

/** For a million each. */
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

/** An object is billed for this much memory, whatever it uses. */
export const OBJECT_GIGABYTES = 0.128;
/** A message is written, read and deleted. */
export const OPERATIONS_A_MESSAGE = 3;
