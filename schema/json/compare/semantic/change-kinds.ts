/** Kinds of change that break nothing by themselves, and their messages. Kinds that the Confluent rules have too keep their names. */
import { type ConfluentKind, descriptionOf, isConfluentKind } from "../confluent/kinds.ts";

const MESSAGES = {
  ANNOTATION_CHANGED: "A note that says nothing about values changed.",
  COMMENT_CHANGED: "The comment changed.",
  CONDITION_ADDED: "The reader has a condition that the writer has not.",
  CONDITION_ELSE_ADDED: "The reader says what holds where the condition fails, the writer does not.",
  CONDITION_ELSE_REMOVED: "The reader no longer says what holds where the condition fails.",
  CONDITION_REMOVED: "The reader no longer has a condition.",
  CONDITION_THEN_ADDED: "The reader says what holds where the condition does, the writer does not.",
  CONDITION_THEN_REMOVED: "The reader no longer says what holds where the condition does.",
  CONST_ADDED: "The reader accepts one constant only.",
  CONST_CHANGED: "The reader accepts another constant than the writer's.",
  CONST_REMOVED: "The reader no longer demands a constant.",
  CONTAINS_ADDED: "The reader demands an item of a kind, the writer does not.",
  CONTAINS_REMOVED: "The reader no longer demands an item of a kind.",
  CONTENT_CHANGED: "What a string's content is said to be changed; it is not validated.",
  DEFAULT_CHANGED: "The default differs: a property that is left out means something else to the reader.",
  DEFINITION_ADDED: "The reader has a definition that the writer has not.",
  DEFINITION_CHANGED: "A definition changed that no value is checked against.",
  DEFINITION_REMOVED: "The reader no longer has a definition.",
  DEPRECATED_CHANGED: "Whether it is deprecated changed.",
  ENUM_ARRAY_ADDED: "The reader lists the values it accepts, the writer does not.",
  ENUM_ARRAY_REMOVED: "The reader no longer lists the values it accepts.",
  EXAMPLES_CHANGED: "The examples changed.",
  FORMAT_ADDED: "The reader demands a format, the writer does not.",
  FORMAT_CHANGED: "The reader demands another format than the writer.",
  FORMAT_REMOVED: "The reader no longer demands a format.",
  ITEM_ADDED: "The reader lists an item that the writer does not list.",
  ITEM_REMOVED: "The reader no longer lists an item.",
  NOT_TYPE_ADDED: "The reader forbids values that the writer does not forbid.",
  NOT_TYPE_REMOVED: "The reader no longer forbids values.",
  OPTIONAL_PROPERTY_ADDED: "The reader has an optional property that the writer does not have.",
  PATTERN_PROPERTY_ADDED: "The reader says what properties of some names are, the writer does not.",
  PATTERN_PROPERTY_REMOVED: "The reader no longer says what properties of some names are.",
  PROPERTY_NAMES_ADDED: "The reader restricts the names of properties, the writer does not.",
  PROPERTY_NAMES_REMOVED: "The reader no longer restricts the names of properties.",
  PROPERTY_REMOVED: "The reader no longer has a property of the writer.",
  READ_ONLY_CHANGED: "Whether it is read-only changed.",
  REFERENCE_ADDED: "The reader refers to a schema that the writer does not refer to.",
  REFERENCE_REMOVED: "The reader no longer refers to a schema.",
  REQUIRED_PROPERTY_ADDED: "The reader has a required property that the writer does not have.",
  SCHEMA_REFUSES_ALL: "The reader accepts no value here.",
  WRITE_ONLY_CHANGED: "Whether it is write-only changed.",
} as const;

/** A keyword that comes, goes or changes. */
export const PRESENCE_KINDS = {
  const: { added: "CONST_ADDED", removed: "CONST_REMOVED", changed: "CONST_CHANGED" },
  pattern: { added: "PATTERN_ADDED", removed: "PATTERN_REMOVED", changed: "PATTERN_CHANGED" },
  format: { added: "FORMAT_ADDED", removed: "FORMAT_REMOVED", changed: "FORMAT_CHANGED" },
} as const;

/** What is said of parts that no other keyword covers. */
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

/** A keyword that holds one schema. */
export const SINGLE_KINDS = {
  propertyNames: { keyword: "propertyNames", added: "PROPERTY_NAMES_ADDED", removed: "PROPERTY_NAMES_REMOVED" },
  contains: { keyword: "contains", added: "CONTAINS_ADDED", removed: "CONTAINS_REMOVED" },
  not: { keyword: "not", added: "NOT_TYPE_ADDED", removed: "NOT_TYPE_REMOVED" },
  condition: { keyword: "if", added: "CONDITION_ADDED", removed: "CONDITION_REMOVED" },
  consequence: { keyword: "then", added: "CONDITION_THEN_ADDED", removed: "CONDITION_THEN_REMOVED" },
  alternative: { keyword: "else", added: "CONDITION_ELSE_ADDED", removed: "CONDITION_ELSE_REMOVED" },
} as const;

/** Those that only the semantic policy names. */
export const OWN_KINDS = Object.keys(MESSAGES) as (keyof typeof MESSAGES)[];

export type ChangeKind = keyof typeof MESSAGES | ConfluentKind;

export function changeMessage(kind: ChangeKind): string {
  if (Object.hasOwn(MESSAGES, kind)) return MESSAGES[kind as keyof typeof MESSAGES];
  return isConfluentKind(kind)
    ? `${descriptionOf(kind).replaceAll("new schema", "reader").replaceAll("old schema", "writer")}.`
    : kind;
}
