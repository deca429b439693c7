/** Which values of `format` are stricter than others. */

/** Formats with the formats that everything they accept also satisfies. */
const WIDER: Record<string, readonly string[]> = {
  email: ["idn-email"],
  hostname: ["idn-hostname"],
  uri: ["uri-reference", "iri", "iri-reference"],
  "uri-reference": ["iri-reference"],
  iri: ["iri-reference"],
};

/** Whether every string of the one format is also valid in the other. */
export function formatImplies(format: string, other: string): boolean {
  return format === other || (Object.hasOwn(WIDER, format) && WIDER[format]!.includes(other));
}

/**
 * A pattern that every string of a format matches, if its form is fixed: lengths and patterns are compared with it.
 */
const PATTERNS: Readonly<Record<string, string>> = {
  date: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
  time: "^[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([zZ]|[+-][0-9]{2}:[0-9]{2})$",
  "date-time": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[tT][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([zZ]|[+-][0-9]{2}:[0-9]{2})$",
  duration: "^P[0-9YMWDTHS]{2,}$",
  uuid: "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
  ipv4: "^([0-9]{1,3}[.]){3}[0-9]{1,3}$",
  ipv6: "^[0-9a-fA-F:.]{2,45}$",
  hostname: "^[0-9a-zA-Z.-]{1,253}$",
  email: "^[ -~]+@[0-9a-zA-Z.:[\\]-]+$",
  uri: "^[A-Za-z][A-Za-z0-9+.-]*:[!-~]*$",
  "uri-reference": "^[!-~]*$",
};

export function patternOfFormat(format: string): string | undefined {
  return Object.hasOwn(PATTERNS, format) ? PATTERNS[format] : undefined;
}
