/** What is searched of a content, derived from its text alone. Pure, and bounded whatever the text. */
import type { Field, FormatName, JsonDialect, SchemaSource } from "../../schema/format.ts";
import { formatNamed } from "../../schema/formats.ts";
import { wordsOf } from "../words.ts";

/** Raised whenever the same log gives other rows; a copy that an older one made asks to be rebuilt. */
export const PROJECTION_VERSION = 1;

/** Of a text; four times the longest of the schemas in common use that people would read. */
export const MAX_INDEXED_TEXT_CHARACTERS = 65_536;
export const MAX_FIELDS = 2_000;
/** Of all fields of a version together: types that are used many times repeat their documentation at every place. */
export const MAX_FIELDS_CHARACTERS = 65_536;
export const MAX_FIELD_PATH_CHARACTERS = 1_000;
/** Names and types are indexed, and an index takes no more than 2,704 bytes of a row. */
export const MAX_NAME_CHARACTERS = 255;
export const MAX_DOCUMENTATION_CHARACTERS = 4_000;
/** Of one column of words: with words of at most 64 characters well below what Postgres puts into one vector (1 MB). */
export const MAX_WORDS = 4_096;

export type DerivedContent = {
  /** The text up to its bound; null where it is gone. */
  content: string | null;
  fields: readonly IndexedField[];
  fieldWords: string;
  documentationWords: string;
  contentWords: string;
};

type IndexedField = {
  path: string;
  name: string;
  type: string;
  documentation: string | null;
  required: boolean;
};

export const NO_CONTENT: DerivedContent = {
  content: null,
  fields: [],
  fieldWords: "",
  documentationWords: "",
  contentWords: "",
};

/** Everything that is searched of a text. One that its format no longer reads still has its words. */
export function deriveContent(format: FormatName, source: SchemaSource, dialect: JsonDialect): DerivedContent {
  const fields = fieldsOf(format, source, dialect);
  return {
    content: cut(source.text, MAX_INDEXED_TEXT_CHARACTERS),
    fields,
    fieldWords: joinedWords(fields.map(({ name }) => name)),
    documentationWords: joinedWords(fields.flatMap(({ documentation }) => documentation ?? [])),
    contentWords: joinedWords([cut(source.text, MAX_INDEXED_TEXT_CHARACTERS)]),
  };
}

/** The words of some texts as one column holds them. */
export function joinedWords(texts: readonly string[]): string {
  return wordsOf(texts.join("\n"), MAX_WORDS).join(" ");
}

/** The first characters of a text, never half of one. */
export function cut(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const last = text.charCodeAt(maxCharacters - 1);
  const splits = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, splits ? maxCharacters - 1 : maxCharacters);
}

function fieldsOf(format: FormatName, source: SchemaSource, dialect: JsonDialect): IndexedField[] {
  const implementation = formatNamed(format);
  const parsed = implementation.parse(source, { strictness: "stored", defaultDialect: dialect });
  if (!parsed.ok) return [];
  const fields: IndexedField[] = [];
  let characters = 0;
  for (const field of implementation.fields(parsed.model).slice(0, MAX_FIELDS)) {
    const indexed = indexedField(field);
    characters += indexed.path.length + indexed.type.length + (indexed.documentation?.length ?? 0);
    if (characters > MAX_FIELDS_CHARACTERS) break;
    fields.push(indexed);
  }
  return fields;
}

function indexedField({ path, type, documentation, required }: Field): IndexedField {
  return {
    path: cut(path, MAX_FIELD_PATH_CHARACTERS),
    name: cut(nameOf(path), MAX_NAME_CHARACTERS),
    type: cut(type, MAX_NAME_CHARACTERS),
    documentation: documentation === null ? null : cut(documentation, MAX_DOCUMENTATION_CHARACTERS),
    required,
  };
}

/** The last part of a path, without the marks of items and values. */
function nameOf(path: string): string {
  const plain = path.replace(/(?:\[\]|\{\})+$/, "");
  return plain.slice(plain.lastIndexOf(".") + 1);
}
