/** A short description of a value, for messages. */

const MAX_SHOWN_CHARACTERS = 80;

/** Short values verbatim; containers and long strings by their size. */
export function describeValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 1 ? "an array of 1 item" : `an array of ${value.length} items`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "string" && value.length > MAX_SHOWN_CHARACTERS) return `a string of ${value.length} characters`;
  if (typeof value === "bigint") return value.toString().slice(0, MAX_SHOWN_CHARACTERS);
  return JSON.stringify(value) ?? "nothing";
}
