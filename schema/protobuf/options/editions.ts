/** The features of an element after defaults and inheritance (https://protobuf.dev/editions/features/). */
import type { Definition, Edition, Enum, Field, Option, OptionValue, ProtoFile } from "../model.ts";

const FEATURE_NAMES = [
  "field_presence",
  "enum_type",
  "repeated_field_encoding",
  "utf8_validation",
  "message_encoding",
  "json_format",
  "enforce_naming_style",
  "default_symbol_visibility",
] as const;
export type FeatureName = (typeof FEATURE_NAMES)[number];
export type Features = Readonly<Record<FeatureName, string>>;

const SINCE_PROTO2: Features = {
  field_presence: "EXPLICIT",
  enum_type: "CLOSED",
  repeated_field_encoding: "EXPANDED",
  utf8_validation: "NONE",
  message_encoding: "LENGTH_PREFIXED",
  json_format: "LEGACY_BEST_EFFORT",
  enforce_naming_style: "STYLE_LEGACY",
  default_symbol_visibility: "EXPORT_ALL",
};
const SINCE_PROTO3: Features = {
  ...SINCE_PROTO2,
  field_presence: "IMPLICIT",
  enum_type: "OPEN",
  repeated_field_encoding: "PACKED",
  utf8_validation: "VERIFY",
  json_format: "ALLOW",
};
const SINCE_2023: Features = { ...SINCE_PROTO3, field_presence: "EXPLICIT" };

/** The features of a file that sets none. */
export const DEFAULT_FEATURES: Readonly<Record<Edition, Features>> = {
  proto2: SINCE_PROTO2,
  proto3: SINCE_PROTO3,
  "2023": SINCE_2023,
  "2024": { ...SINCE_2023, enforce_naming_style: "STYLE2024", default_symbol_visibility: "EXPORT_TOP_LEVEL" },
};

export function usesEditions({ edition }: ProtoFile): boolean {
  return edition === "2023" || edition === "2024";
}

/** The features an options list sets, as `features.x = Y` or `features = { x: Y }`. */
export function setFeatures(options: readonly Option[]): Partial<Record<FeatureName, string>> {
  const set: Partial<Record<FeatureName, string>> = {};
  for (const { name, value } of options) {
    if (name[0]!.isExtension || name[0]!.name !== "features") continue;
    if (name.length === 2 && !name[1]!.isExtension) record(set, name[1]!.name, value);
    if (name.length > 1 || value.kind !== "message") continue;
    for (const field of value.fields) if (field.name.kind === "field") record(set, field.name.name, field.value);
  }
  return set;
}

function record(set: Partial<Record<FeatureName, string>>, name: string, value: OptionValue): void {
  const feature = FEATURE_NAMES.find((candidate) => candidate === name);
  if (feature !== undefined && value.kind === "identifier") set[feature] = value.name;
}

/** The effective features of a definition: its own, then those of enclosing definitions, then its file's. */
export function resolveFeatures(definition: Definition): Features {
  const { element, parent, file } = definition;
  const around = parent === null ? fileFeatures(file) : resolveFeatures(parent);
  if (!usesEditions(file)) return around;
  const ofOneof = element.kind === "field" && element.oneof !== null ? setFeatures(element.oneof.options) : undefined;
  const own = setFeatures(element.options);
  if (ofOneof === undefined && Object.keys(own).length === 0) return around;
  return { ...around, ...ofOneof, ...own };
}

export function fileFeatures(file: ProtoFile): Features {
  const defaults = DEFAULT_FEATURES[file.edition];
  return usesEditions(file) ? { ...defaults, ...setFeatures(file.options) } : defaults;
}

type FieldPresence = "explicit" | "implicit" | "required";

/**
 * Whether a singular field that holds its default is distinguishable from an unset one. Repeated fields have no
 * presence.
 */
export function fieldPresence(definition: Definition<Field>): FieldPresence {
  const { element, file, extend } = definition;
  if (usesEditions(file)) {
    const presence = resolveFeatures(definition).field_presence;
    if (presence === "LEGACY_REQUIRED") return "required";
    return presence === "IMPLICIT" && element.oneof === null && extend === null ? "implicit" : "explicit";
  }
  if (element.label === "required") return "required";
  if (file.edition === "proto2" || element.label === "optional" || element.oneof !== null || extend !== null) {
    return "explicit";
  }
  return "implicit";
}

/** Whether a repeated field of a packable type is packed on the wire. */
export function isPacked(definition: Definition<Field>): boolean {
  if (usesEditions(definition.file)) return resolveFeatures(definition).repeated_field_encoding === "PACKED";
  const written = definition.element.options.find(
    ({ name }) => name.length === 1 && !name[0]!.isExtension && name[0]!.name === "packed",
  );
  if (written?.value.kind === "identifier") return written.value.name === "true";
  return definition.file.edition === "proto3";
}

/** Whether unknown numbers of the enum are refused rather than kept. */
export function isClosedEnum(definition: Definition<Enum>): boolean {
  return resolveFeatures(definition).enum_type === "CLOSED";
}

/** Whether a message field is encoded as a group. */
export function isDelimited(definition: Definition<Field>): boolean {
  if (definition.element.type.kind === "group") return true;
  return usesEditions(definition.file) && resolveFeatures(definition).message_encoding === "DELIMITED";
}
