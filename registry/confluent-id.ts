/** The range of Confluent ids, and how ids out of it are read. */

/** Ids and version numbers are signed 32-bit integers on the wire. */
export const LARGEST_INTEGER = 2 ** 31 - 1;
/** Half of the range: a thousand million ids are left to count through, more than one object can hold versions. */
export const COUNTED_IDS = 2 ** 30;

/**
 * Earlier builds went on counting past the largest integer, where no client could follow. Such an id is read as one in the
 * upper half, which nothing counts into: a function of the id alone, so that a replay without erased entries agrees.
 */
export function fittingId(id: number): number {
  return id > LARGEST_INTEGER ? id - COUNTED_IDS : id;
}
