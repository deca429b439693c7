/** Derives the search data of a content from its text alone. Pure, and bounded for any text. */
import type { FormatName, JsonDialect, SchemaField, SchemaSource } from "../../schema/format.ts";
import { formatNamed } from "../../schema/formats.ts";
import { splitWords } from "../words.ts";

/** Raised when the same log produces different rows; a read model of an older version requests a rebuild. */
export const PROJECTION_VERSION = 1;

/** Four times the length of the longest schema in common use that is written by hand. */
export const MAX_INDEXED_TEXT_CHARACTERS = 65_536;
export const MAX_INDEXED_FIELDS = 2_000;
/** Limit for all fields of a version together: a type used many times repeats its documentation at every place. */
export const MAX_FIELDS_CHARACTERS = 65_536;
export const MAX_INDEXED_PATH_CHARACTERS = 1_000;
/** Names and types are indexed, and a btree index row holds at most 2,704 bytes. */
export const MAX_INDEXED_NAME_CHARACTERS = 255;
export const MAX_DOCUMENTATION_CHARACTERS = 4_000;
/** Per column of words; at 64 characters a word this is well below Postgres's limit for one tsvector (1 MB). */
export const MAX_WORDS = 4_096;

export type DerivedContent = {
  /** The text, truncated to its limit; null if it was deleted. */
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

/** The search data of a text. One that its format no longer parses still has its words. */
export function deriveContent(format: FormatName, source: SchemaSource, dialect: JsonDialect): DerivedContent {
  const fields = readFields(format, source, dialect);
  return {
    content: cut(source.text, MAX_INDEXED_TEXT_CHARACTERS),
    fields,
    fieldWords: joinedWords(fields.map(({ name }) => name)),
    documentationWords: joinedWords(fields.flatMap(({ documentation }) => documentation ?? [])),
    contentWords: joinedWords([cut(source.text, MAX_INDEXED_TEXT_CHARACTERS)]),
  };
}

/** The words of several texts, as one column stores them. */
export function joinedWords(texts: readonly string[]): string {
  return splitWords(texts.join("\n"), MAX_WORDS).join(" ");
}

/** The first characters of a text, without splitting a surrogate pair. */
export function cut(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const last = text.charCodeAt(maxCharacters - 1);
  const splits = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, splits ? maxCharacters - 1 : maxCharacters);
}

function readFields(format: FormatName, source: SchemaSource, dialect: JsonDialect): IndexedField[] {
  const implementation = formatNamed(format);
  const parsed = implementation.parse(source, { strictness: "stored", defaultDialect: dialect });
  if (!parsed.ok) return [];
  const fields: IndexedField[] = [];
  let characters = 0;
  for (const field of implementation.fields(parsed.value.model).slice(0, MAX_INDEXED_FIELDS)) {
    const indexed = indexedField(field);
    characters += indexed.path.length + indexed.type.length + (indexed.documentation?.length ?? 0);
    if (characters > MAX_FIELDS_CHARACTERS) break;
    fields.push(indexed);
  }
  return fields;
}

function indexedField({ path, type, documentation, required }: SchemaField): IndexedField {
  return {
    path: cut(path, MAX_INDEXED_PATH_CHARACTERS),
    name: cut(lastPathPart(path), MAX_INDEXED_NAME_CHARACTERS),
    type: cut(type, MAX_INDEXED_NAME_CHARACTERS),
    documentation: documentation === null ? null : cut(documentation, MAX_DOCUMENTATION_CHARACTERS),
    required,
  };
}

/** The last part of a path, without `[]` and `{}`. */
function lastPathPart(path: string): string {
  const plain = path.replace(/(?:\[\]|\{\})+$/, "");
  return plain.slice(plain.lastIndexOf(".") + 1);
}
