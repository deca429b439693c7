/** The Confluent API's lines on why a schema is incompatible (docs/confluent-compatibility.md). */
import type { CompatibilityLevel, Difference } from "./compatibility.ts";
import type { SchemaFormat } from "./format.ts";

/** The older schema is truncated at 10 KiB, as in the Confluent server. */
const MAX_SHOWN_SCHEMA_CHARACTERS = 10 * 1024;

/** Differences that come from no format are shown without a type. */
const PLAIN_KINDS: ReadonlySet<string> = new Set([
  "FORMAT_CHANGED",
  "DIFFERENCES_NOT_LISTED",
  "RESERVED_FIELD_REMOVED",
  "FIELD_CONFLICTS_WITH_RESERVED_FIELD",
]);

type Incompatibility = {
  differences: readonly Difference[];
  /** The incompatible version (its text null if it was not loaded); null if the schema contradicts itself. */
  earlier: { versionNumber: number | null; text: string | null } | null;
  level: CompatibilityLevel;
  validateFields: boolean;
};

export function incompatibilityLines(
  { confluentLine = nativeLine }: Pick<SchemaFormat<unknown>, "confluentLine">,
  { differences, earlier, level, validateFields }: Incompatibility,
): string[] {
  return [
    ...differences
      .filter(({ severity }) => severity === "breaking")
      .map((difference) => (PLAIN_KINDS.has(difference.kind) ? difference.message : confluentLine(difference))),
    ...(earlier === null ? [] : [`{oldSchemaVersion: ${earlier.versionNumber}}`]),
    ...(earlier === null || earlier.text === null ? [] : [`{oldSchema: '${shortened(earlier.text)}'}`]),
    `{validateFields: '${validateFields}', compatibility: '${level}'}`,
  ];
}

/** Artefacts have no Confluent form; the lines are part of a native refusal. */
function nativeLine({ kind, message }: Difference): string {
  return `${kind}: ${message}`;
}

function shortened(text: string): string {
  return text.length <= MAX_SHOWN_SCHEMA_CHARACTERS ? text : `${text.slice(0, MAX_SHOWN_SCHEMA_CHARACTERS)}<truncated>`;
}
