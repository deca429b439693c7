/**
 * Kinds of changes that do not break by themselves, and their messages. Kinds that the Confluent rules also have keep
 * those names. A message holds whichever of reader and writer is the later version.
 */
import { type ConfluentKind, describeKind, isConfluentKind } from "../confluent/kinds.ts";

const MESSAGES = {
  ANNOTATION_CHANGED: "An annotation that does not affect values changed.",
  COMMENT_CHANGED: "The comment changed.",
  CONDITION_ADDED: "The reader has a condition that the writer lacks.",
  CONDITION_ELSE_ADDED: "The reader constrains values that fail the condition; the writer does not.",
  CONDITION_ELSE_REMOVED: "The writer constrains values that fail the condition; the reader does not.",
  CONDITION_REMOVED: "The writer has a condition that the reader lacks.",
  CONDITION_THEN_ADDED: "The reader constrains values that meet the condition; the writer does not.",
  CONDITION_THEN_REMOVED: "The writer constrains values that meet the condition; the reader does not.",
  CONST_ADDED: "The reader accepts only one constant.",
  CONST_CHANGED: "The reader accepts a different constant than the writer.",
  CONST_REMOVED: "The writer requires a constant; the reader does not.",
  CONTAINS_ADDED: "The reader requires an item that matches contains; the writer does not.",
  CONTAINS_REMOVED: "The writer requires an item that matches contains; the reader does not.",
  CONTENT_CHANGED: "The declared content of a string changed; it is not validated.",
  DEFAULT_CHANGED: "The default differs: an omitted property has a different meaning for the reader.",
  DEFINITION_ADDED: "The reader has a definition that the writer lacks.",
  DEFINITION_CHANGED: "A definition that no value is validated against changed.",
  DEFINITION_REMOVED: "The writer has a definition that the reader lacks.",
  DEPRECATED_CHANGED: "The deprecated flag changed.",
  ENUM_ARRAY_ADDED: "The reader lists the values it accepts; the writer does not.",
  ENUM_ARRAY_REMOVED: "The writer lists its values; the reader does not.",
  EXAMPLES_CHANGED: "The examples changed.",
  FORMAT_ADDED: "The reader requires a format; the writer does not.",
  FORMAT_CHANGED: "The reader requires a different format than the writer.",
  FORMAT_REMOVED: "The writer requires a format; the reader does not.",
  ITEM_ADDED: "The reader lists an item that the writer does not list.",
  ITEM_REMOVED: "The writer lists an item that the reader does not list.",
  NOT_TYPE_ADDED: "The reader forbids values that the writer does not forbid.",
  NOT_TYPE_REMOVED: "The writer forbids values that the reader does not forbid.",
  OPTIONAL_PROPERTY_ADDED: "The reader has an optional property that the writer lacks.",
  PATTERN_PROPERTY_ADDED: "The reader constrains properties with certain names; the writer does not.",
  PATTERN_PROPERTY_REMOVED: "The writer constrains properties with certain names; the reader does not.",
  PROPERTY_NAMES_ADDED: "The reader restricts property names; the writer does not.",
  PROPERTY_NAMES_REMOVED: "The writer restricts property names; the reader does not.",
  PROPERTY_REMOVED: "The writer has a property that the reader lacks.",
  READ_ONLY_CHANGED: "The readOnly flag changed.",
  REFERENCE_ADDED: "The reader references a schema that the writer does not.",
  REFERENCE_REMOVED: "The writer references a schema that the reader does not.",
  REQUIRED_PROPERTY_ADDED: "The reader has a required property that the writer lacks.",
  SCHEMA_REFUSES_ALL: "The reader accepts no value here.",
  WRITE_ONLY_CHANGED: "The writeOnly flag changed.",
} as const;

/** A keyword that was added, removed or changed. */
export const PRESENCE_KINDS = {
  const: { added: "CONST_ADDED", removed: "CONST_REMOVED", changed: "CONST_CHANGED" },
  pattern: { added: "PATTERN_ADDED", removed: "PATTERN_REMOVED", changed: "PATTERN_CHANGED" },
  format: { added: "FORMAT_ADDED", removed: "FORMAT_REMOVED", changed: "FORMAT_CHANGED" },
} as const;

/** The kinds for parts that no other keyword covers. */
export const REST_KINDS = {
  additionalProperties: {
    added: "ADDITIONAL_PROPERTIES_ADDED",
    removed: "ADDITIONAL_PROPERTIES_REMOVED",
    extended: "ADDITIONAL_PROPERTIES_EXTENDED",
    narrowed: "ADDITIONAL_PROPERTIES_NARROWED",
  },
  unevaluatedProperties: {
    added: "UNEVALUATED_PROPERTIES_ADDED",
    removed: "UNEVALUATED_PROPERTIES_REMOVED",
    extended: "UNEVALUATED_PROPERTIES_EXTENDED",
    narrowed: "UNEVALUATED_PROPERTIES_NARROWED",
  },
  items: {
    added: "ADDITIONAL_ITEMS_ADDED",
    removed: "ADDITIONAL_ITEMS_REMOVED",
    extended: "ADDITIONAL_ITEMS_EXTENDED",
    narrowed: "ADDITIONAL_ITEMS_NARROWED",
  },
  unevaluatedItems: {
    added: "UNEVALUATED_ITEMS_ADDED",
    removed: "UNEVALUATED_ITEMS_REMOVED",
    extended: "UNEVALUATED_ITEMS_EXTENDED",
    narrowed: "UNEVALUATED_ITEMS_NARROWED",
  },
} as const;

/** A keyword whose value is one schema. */
export const SINGLE_KINDS = {
  propertyNames: { keyword: "propertyNames", added: "PROPERTY_NAMES_ADDED", removed: "PROPERTY_NAMES_REMOVED" },
  contains: { keyword: "contains", added: "CONTAINS_ADDED", removed: "CONTAINS_REMOVED" },
  not: { keyword: "not", added: "NOT_TYPE_ADDED", removed: "NOT_TYPE_REMOVED" },
  condition: { keyword: "if", added: "CONDITION_ADDED", removed: "CONDITION_REMOVED" },
  consequence: { keyword: "then", added: "CONDITION_THEN_ADDED", removed: "CONDITION_THEN_REMOVED" },
  alternative: { keyword: "else", added: "CONDITION_ELSE_ADDED", removed: "CONDITION_ELSE_REMOVED" },
} as const;

/** Kinds that only the semantic policy has. */
export const OWN_KINDS = Object.keys(MESSAGES) as (keyof typeof MESSAGES)[];

export type ChangeKind = keyof typeof MESSAGES | ConfluentKind;

export function changeMessage(kind: ChangeKind): string {
  if (Object.hasOwn(MESSAGES, kind)) return MESSAGES[kind as keyof typeof MESSAGES];
  return isConfluentKind(kind)
    ? `${describeKind(kind).replaceAll("new schema", "reader").replaceAll("old schema", "writer")}.`
    : kind;
}
