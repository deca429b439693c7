/** The range of Confluent ids, and the interpretation of ids outside it. */

/** Ids and version numbers are signed 32-bit integers on the wire. */
export const LARGEST_INTEGER = 2 ** 31 - 1;
/** Half of the range: a thousand million ids to allocate, more versions than one object can hold. */
export const COUNTED_IDS = 2 ** 30;

/**
 * Earlier builds continued counting past the largest integer, which no client can represent. Such an id is mapped to
 * one in the upper half, from which allocation never continues. The mapping depends on the id alone, so that a replay
 * without erased entries agrees.
 */
export function fittingId(id: number): number {
  return id > LARGEST_INTEGER ? id - COUNTED_IDS : id;
}
