/**
 * Features needed for comparison: those of options/editions.ts, and two language features. The older spellings (labels,
 * groups, `packed`, `ctype`) are converted to features when fields are linked.
 */

import type { Edition, Option, OptionField, OptionValue } from "../model.ts";
import { type Features as CoreFeatures, DEFAULT_FEATURES, setFeatures } from "../options/editions.ts";
import { plainOption } from "../options/plain.ts";

export type LinkedFeatures = CoreFeatures & {
  /** STRING, CORD or VIEW; STRING_PIECE only from the older option `ctype`. */
  readonly cpp_string_type: string;
  /** VERIFY, or DEFAULT, which follows utf8_validation. */
  readonly java_utf8_validation: string;
};

/** The language features, by the extension and the field that set them. */
const LANGUAGE_FEATURES: Readonly<Record<string, keyof LinkedFeatures>> = {
  "pb.cpp/string_type": "cpp_string_type",
  "pb.java/utf8_validation": "java_utf8_validation",
};

/** An edition's defaults. */
export function editionFeatures(edition: Edition): LinkedFeatures {
  return {
    ...DEFAULT_FEATURES[edition],
    cpp_string_type: edition === "2024" ? "VIEW" : "STRING",
    java_utf8_validation: "DEFAULT",
  };
}

/** `inherited`, overridden by what the options of an element set. */
export function overrideFeatures(inherited: LinkedFeatures, options: readonly Option[]): LinkedFeatures {
  let overridden = inherited;
  for (const option of options) {
    if (option.name[0]?.name !== "features" || option.name[0].isExtension) continue;
    const path = option.name.slice(1).map((part) => part.name.replace(/^\./, ""));
    const found: Partial<Record<keyof LinkedFeatures, string>> = {};
    collectLanguageFeatures(path, option.value, found);
    overridden = { ...overridden, ...setFeatures([option]), ...found };
  }
  return overridden;
}

/** Feature messages are two levels deep: `features { [pb.cpp] { string_type: VIEW } }`. */
function collectLanguageFeatures(
  path: readonly string[],
  value: OptionValue,
  found: Partial<Record<keyof LinkedFeatures, string>>,
): void {
  if (value.kind === "message") {
    if (path.length >= 2) return;
    for (const field of value.fields) collectLanguageFeatures([...path, featureName(field)], field.value, found);
    return;
  }
  const feature = LANGUAGE_FEATURES[path.join("/")];
  if (feature !== undefined && value.kind === "identifier") found[feature] = value.name;
}

function featureName({ name }: OptionField): string {
  return name.name.replace(/^\./, "");
}

/** A string or identifier option as text, or undefined if it is not set. */
export function textOption(options: readonly Option[], name: string): string | undefined {
  const value = plainOption(options, name)?.value;
  if (value?.kind === "identifier") return value.name;
  return value?.kind === "string" ? value.value : undefined;
}
