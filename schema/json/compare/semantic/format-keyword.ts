/** Which values of `format` are stricter than others. */

/** Formats with the formats that everything they accept also satisfies. */
const WIDER: Record<string, readonly string[]> = {
  email: ["idn-email"],
  hostname: ["idn-hostname"],
  uri: ["uri-reference", "iri", "iri-reference"],
  "uri-reference": ["iri-reference"],
  iri: ["iri-reference"],
};

/** Whether every string of the one format has the other. */
export function formatImplies(format: string, other: string): boolean {
  return format === other || (Object.hasOwn(WIDER, format) && WIDER[format]!.includes(other));
}
