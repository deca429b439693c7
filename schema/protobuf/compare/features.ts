/**
 * Editions' features, resolved: what an edition says, what a file, message or field overrides, and how the older
 * spellings (labels, groups, `packed`, `ctype`) say the same. https://protobuf.dev/editions/features/
 */
import type { Edition, Option, OptionField, OptionValue } from "../model";

export type Features = {
  fieldPresence: "EXPLICIT" | "IMPLICIT" | "LEGACY_REQUIRED";
  enumType: "OPEN" | "CLOSED";
  repeatedFieldEncoding: "PACKED" | "EXPANDED";
  utf8Validation: "VERIFY" | "NONE";
  messageEncoding: "LENGTH_PREFIXED" | "DELIMITED";
  jsonFormat: "ALLOW" | "LEGACY_BEST_EFFORT";
  cppStringType: "STRING" | "CORD" | "VIEW";
  javaUtf8Validation: "DEFAULT" | "VERIFY";
};

const EDITION_2023: Features = {
  fieldPresence: "EXPLICIT",
  enumType: "OPEN",
  repeatedFieldEncoding: "PACKED",
  utf8Validation: "VERIFY",
  messageEncoding: "LENGTH_PREFIXED",
  jsonFormat: "ALLOW",
  cppStringType: "STRING",
  javaUtf8Validation: "DEFAULT",
};

const EDITION_DEFAULTS: Record<Edition, Features> = {
  proto2: {
    ...EDITION_2023,
    enumType: "CLOSED",
    repeatedFieldEncoding: "EXPANDED",
    utf8Validation: "NONE",
    jsonFormat: "LEGACY_BEST_EFFORT",
  },
  proto3: { ...EDITION_2023, fieldPresence: "IMPLICIT" },
  "2023": EDITION_2023,
  "2024": { ...EDITION_2023, cppStringType: "VIEW" },
};

/** The option's name in a file, and the values it can have. */
const SETTINGS: { [K in keyof Features]: { path: readonly string[]; values: readonly Features[K][] } } = {
  fieldPresence: { path: ["field_presence"], values: ["EXPLICIT", "IMPLICIT", "LEGACY_REQUIRED"] },
  enumType: { path: ["enum_type"], values: ["OPEN", "CLOSED"] },
  repeatedFieldEncoding: { path: ["repeated_field_encoding"], values: ["PACKED", "EXPANDED"] },
  utf8Validation: { path: ["utf8_validation"], values: ["VERIFY", "NONE"] },
  messageEncoding: { path: ["message_encoding"], values: ["LENGTH_PREFIXED", "DELIMITED"] },
  jsonFormat: { path: ["json_format"], values: ["ALLOW", "LEGACY_BEST_EFFORT"] },
  cppStringType: { path: ["pb.cpp", "string_type"], values: ["STRING", "CORD", "VIEW"] },
  javaUtf8Validation: { path: ["pb.java", "utf8_validation"], values: ["DEFAULT", "VERIFY"] },
};

/** What an edition says where nothing overrides it. */
export function editionFeatures(edition: Edition): Features {
  return EDITION_DEFAULTS[edition];
}

/** `inherited`, overridden by what the options of an element set. */
export function overrideFeatures(inherited: Features, options: readonly Option[]): Features {
  let overridden = inherited;
  for (const option of options) {
    if (option.name[0]?.name !== "features" || option.name[0].isExtension) continue;
    overridden = { ...overridden, ...settingsOf(option) };
  }
  return overridden;
}

function settingsOf(option: Option): Partial<Features> {
  const path = option.name.slice(1).map((part) => part.name.replace(/^\./, ""));
  const found: Record<string, string> = {};
  collectSettings(path, option.value, found);
  return found as Partial<Features>;
}

/** Feature messages are two levels deep: `features { [pb.cpp] { string_type: VIEW } }`. */
function collectSettings(path: readonly string[], value: OptionValue, found: Record<string, string>): void {
  if (value.kind === "message") {
    if (path.length >= 2) return;
    for (const field of value.fields) collectSettings([...path, settingName(field)], field.value, found);
    return;
  }
  if (value.kind !== "identifier") return;
  for (const [feature, setting] of Object.entries(SETTINGS)) {
    const values: readonly string[] = setting.values;
    if (setting.path.join("/") === path.join("/") && values.includes(value.name)) found[feature] = value.name;
  }
}

function settingName({ name }: OptionField): string {
  return name.name.replace(/^\./, "");
}

/** The value of a plain, undotted option; the last one counts. */
export function optionValue(options: readonly Option[], name: string): OptionValue | undefined {
  return options.findLast(
    (option) => option.name.length === 1 && !option.name[0]!.isExtension && option.name[0]!.name === name,
  )?.value;
}

/** A boolean option, or undefined where it is not written. */
export function booleanOption(options: readonly Option[], name: string): boolean | undefined {
  const value = optionValue(options, name);
  return value?.kind === "identifier" ? value.name === "true" : undefined;
}

/** A string or word option as text, or undefined where it is not written. */
export function textOption(options: readonly Option[], name: string): string | undefined {
  const value = optionValue(options, name);
  if (value?.kind === "identifier") return value.name;
  return value?.kind === "string" ? value.value : undefined;
}
