/**
 * Determines a document's dialect: from its `$schema`, also through custom meta-schemas among its references; else the
 * default.
 */
import type { JsonDialect, SchemaSource } from "../../format.ts";
import { type JsonNode, type JsonString, parseJsonText } from "../../json-text.ts";
import { dialectOfUrl } from "./dialects.ts";
import { spellings } from "./ref-names.ts";
import { splitFragment } from "./uri.ts";
import { ignoredKeywords, NO_KEYWORDS } from "./vocabularies.ts";

/** A custom meta-schema may itself have a custom meta-schema, up to this depth. */
const MAX_META_SCHEMA_STEPS = 8;

type ChosenDialect = {
  dialect: JsonDialect;
  /** Keywords that a custom meta-schema disables. */
  ignored: ReadonlySet<string>;
  /** The unknown `$schema`. */
  unknown?: JsonString;
};

export class DialectChoice {
  readonly #byMetaSchema = new Map<SchemaSource, ChosenDialect>();

  readonly defaultDialect: JsonDialect;
  /** Called with every text that is read, so that the caller can limit them. */
  readonly spend: (characters: number) => void;

  constructor(defaultDialect: JsonDialect, spend: (characters: number) => void) {
    this.defaultDialect = defaultDialect;
    this.spend = spend;
  }

  of(root: JsonNode, source: SchemaSource, base: string, steps = 0): ChosenDialect {
    const byDefault = { dialect: this.defaultDialect, ignored: NO_KEYWORDS };
    const value = root.type === "object" ? root.members.get("$schema") : undefined;
    if (value?.type !== "string") return byDefault;
    const known = dialectOfUrl(value.value);
    if (known !== undefined) return { dialect: known, ignored: NO_KEYWORDS };
    const { url } = splitFragment(value.value);
    const metaSchema = source.references.find(({ name }) => spellings(name, base).includes(url))?.source;
    const chosen = metaSchema && steps < MAX_META_SCHEMA_STEPS ? this.#through(metaSchema, url, steps) : undefined;
    return chosen ?? { ...byDefault, unknown: value };
  }

  #through(metaSchema: SchemaSource, url: string, steps: number): ChosenDialect | undefined {
    const known = this.#byMetaSchema.get(metaSchema);
    if (known !== undefined) return known;
    this.spend(metaSchema.text.length);
    const parsed = parseJsonText(metaSchema.text);
    if (!parsed.ok) return undefined;
    const { dialect } = this.of(parsed.value.root, metaSchema, url, steps + 1);
    const chosen = { dialect, ignored: ignoredKeywords(parsed.value.root, dialect) };
    this.#byMetaSchema.set(metaSchema, chosen);
    return chosen;
  }
}
