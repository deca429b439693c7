/**
 * The Confluent server's difference kinds for JSON Schema: which ones break, and their messages
 * (docs/compatibility.md).
 */
import type { Severity } from "../../../compatibility.ts";

type Verdict = "compatible" | "lenient" | "breaking";

/**
 * Verdict under `strict`; `lenient` marks kinds that only the lenient policy allows. In the text, `new` is the reader,
 * `old` the writer.
 */
const KINDS = {
  ID_CHANGED: ["compatible", "The new schema has another identifier"],
  TITLE_CHANGED: ["compatible", "The new schema has another title"],
  DESCRIPTION_CHANGED: ["compatible", "The new schema has another description"],
  DEFAULT_CHANGED: ["compatible", "The new schema has another default"],
  SCHEMA_ADDED: ["breaking", "The new schema constrains values that the old schema leaves free"],
  SCHEMA_REMOVED: ["compatible", "The old schema constrains these values, the new schema does not"],
  TYPE_EXTENDED: ["compatible", "The new schema accepts any number where the old schema has integers"],
  TYPE_NARROWED: ["breaking", "The new schema accepts integers only where the old schema has any number"],
  TYPE_CHANGED: ["breaking", "The new schema has another type than the old schema"],
  MAX_LENGTH_ADDED: ["breaking", "The new schema limits the length of strings that the old schema leaves unlimited"],
  MAX_LENGTH_REMOVED: ["compatible", "The old schema limits the length of strings, the new schema does not"],
  MAX_LENGTH_INCREASED: ["compatible", "The new schema allows longer strings"],
  MAX_LENGTH_DECREASED: ["breaking", "The new schema allows only shorter strings than the old schema"],
  MIN_LENGTH_ADDED: ["breaking", "The new schema demands a least length that the old schema does not"],
  MIN_LENGTH_REMOVED: ["compatible", "The old schema demands a least length, the new schema does not"],
  MIN_LENGTH_INCREASED: ["breaking", "The new schema demands longer strings than the old schema"],
  MIN_LENGTH_DECREASED: ["compatible", "The new schema allows shorter strings"],
  PATTERN_ADDED: ["breaking", "The new schema demands a pattern that the old schema does not"],
  PATTERN_REMOVED: ["compatible", "The old schema demands a pattern, the new schema does not"],
  PATTERN_CHANGED: ["breaking", "The new schema demands another pattern than the old schema"],
  MAXIMUM_ADDED: ["breaking", "The new schema limits numbers from above, the old schema does not"],
  MAXIMUM_REMOVED: ["compatible", "The old schema limits numbers from above, the new schema does not"],
  MAXIMUM_INCREASED: ["compatible", "The new schema allows larger numbers"],
  MAXIMUM_DECREASED: ["breaking", "The new schema has a lower maximum than the old schema"],
  MINIMUM_ADDED: ["breaking", "The new schema limits numbers from below, the old schema does not"],
  MINIMUM_REMOVED: ["compatible", "The old schema limits numbers from below, the new schema does not"],
  MINIMUM_INCREASED: ["breaking", "The new schema has a higher minimum than the old schema"],
  MINIMUM_DECREASED: ["compatible", "The new schema allows smaller numbers"],
  EXCLUSIVE_MAXIMUM_ADDED: ["breaking", "The new schema has an exclusive maximum, the old schema has none"],
  EXCLUSIVE_MAXIMUM_REMOVED: ["compatible", "The old schema has an exclusive maximum, the new schema has none"],
  EXCLUSIVE_MAXIMUM_INCREASED: ["compatible", "The new schema has a higher exclusive maximum"],
  EXCLUSIVE_MAXIMUM_DECREASED: ["breaking", "The new schema has a lower exclusive maximum than the old schema"],
  EXCLUSIVE_MINIMUM_ADDED: ["breaking", "The new schema has an exclusive minimum, the old schema has none"],
  EXCLUSIVE_MINIMUM_REMOVED: ["compatible", "The old schema has an exclusive minimum, the new schema has none"],
  EXCLUSIVE_MINIMUM_INCREASED: ["breaking", "The new schema has a higher exclusive minimum than the old schema"],
  EXCLUSIVE_MINIMUM_DECREASED: ["compatible", "The new schema has a lower exclusive minimum"],
  MULTIPLE_OF_ADDED: ["breaking", "The new schema demands multiples of a number, the old schema does not"],
  MULTIPLE_OF_REMOVED: ["compatible", "The old schema demands multiples of a number, the new schema does not"],
  MULTIPLE_OF_EXPANDED: ["breaking", "The new schema demands multiples of a larger number than the old schema"],
  MULTIPLE_OF_REDUCED: ["compatible", "The new schema demands multiples of a smaller number that divides the old one"],
  MULTIPLE_OF_CHANGED: ["breaking", "The new schema demands multiples of another number than the old schema"],
  REQUIRED_ATTRIBUTE_ADDED: ["breaking", "The new schema requires a property that is optional in the old schema"],
  REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED: [
    "compatible",
    "The new schema requires a property, with a default, that is optional in the old schema",
  ],
  REQUIRED_ATTRIBUTE_REMOVED: ["compatible", "The old schema requires a property, the new schema does not"],
  MAX_PROPERTIES_ADDED: ["breaking", "The new schema limits the number of properties, the old schema does not"],
  MAX_PROPERTIES_REMOVED: ["compatible", "The old schema limits the number of properties, the new schema does not"],
  MAX_PROPERTIES_INCREASED: ["compatible", "The new schema allows more properties"],
  MAX_PROPERTIES_DECREASED: ["breaking", "The new schema allows fewer properties than the old schema"],
  MIN_PROPERTIES_ADDED: ["breaking", "The new schema demands a least number of properties, the old schema does not"],
  MIN_PROPERTIES_REMOVED: [
    "compatible",
    "The old schema demands a least number of properties, the new schema does not",
  ],
  MIN_PROPERTIES_INCREASED: ["breaking", "The new schema demands more properties than the old schema"],
  MIN_PROPERTIES_DECREASED: ["compatible", "The new schema demands fewer properties"],
  ADDITIONAL_PROPERTIES_ADDED: ["compatible", "The new schema accepts additional properties, the old schema does not"],
  ADDITIONAL_PROPERTIES_REMOVED: [
    "lenient",
    "The new schema refuses additional properties that the old schema accepts",
  ],
  ADDITIONAL_PROPERTIES_EXTENDED: [
    "compatible",
    "The old schema constrains additional properties, the new schema does not",
  ],
  ADDITIONAL_PROPERTIES_NARROWED: [
    "lenient",
    "The new schema constrains additional properties, the old schema does not",
  ],
  UNEVALUATED_PROPERTIES_ADDED: [
    "compatible",
    "The new schema accepts unevaluated properties, the old schema does not",
  ],
  UNEVALUATED_PROPERTIES_REMOVED: [
    "lenient",
    "The new schema refuses unevaluated properties that the old schema accepts",
  ],
  UNEVALUATED_PROPERTIES_EXTENDED: ["compatible", "The new schema constrains unevaluated properties less"],
  UNEVALUATED_PROPERTIES_NARROWED: [
    "lenient",
    "The new schema constrains unevaluated properties more than the old schema",
  ],
  DEPENDENCY_ARRAY_ADDED: ["breaking", "The new schema makes a property demand others, the old schema does not"],
  DEPENDENCY_ARRAY_REMOVED: ["compatible", "The old schema makes a property demand others, the new schema does not"],
  DEPENDENCY_ARRAY_EXTENDED: ["breaking", "The new schema makes a property demand more others than the old schema"],
  DEPENDENCY_ARRAY_NARROWED: ["compatible", "The new schema makes a property demand fewer others"],
  DEPENDENCY_ARRAY_CHANGED: ["breaking", "The new schema makes a property demand others than the old schema"],
  DEPENDENCY_SCHEMA_ADDED: ["breaking", "The new schema makes a property demand a schema, the old schema does not"],
  DEPENDENCY_SCHEMA_REMOVED: ["compatible", "The old schema makes a property demand a schema, the new schema does not"],
  PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL: [
    "compatible",
    "The new schema names, without constraining it, a property that the open old schema does not name",
  ],
  REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL: [
    "breaking",
    "The new schema requires a property that the open old schema does not name",
  ],
  REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL: [
    "lenient",
    "The new schema requires a property, with a default, that the open old schema does not name",
  ],
  OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL: [
    "lenient",
    "The new schema constrains a property that the open old schema does not name and so leaves free",
  ],
  REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL: [
    "breaking",
    "The new schema requires a property that the old schema, which is not open, does not name",
  ],
  REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL: [
    "compatible",
    "The new schema requires a property, with a default, that the old schema, which is not open, does not name",
  ],
  OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL: [
    "compatible",
    "The new schema has an optional property that the old schema, which is not open, does not name",
  ],
  PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: [
    "compatible",
    "The new schema names a property that fits what the partially open old schema says of it",
  ],
  PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: [
    "lenient",
    "The new schema names a property that does not fit what the partially open old schema says of it",
  ],
  PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL: ["compatible", "The new schema, which is open, no longer names a property"],
  PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL: [
    "lenient",
    "The new schema, which is closed, no longer names a property of the old schema and so refuses it",
  ],
  PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL: [
    "compatible",
    "The new schema, which is closed, no longer names a property that the old schema forbids",
  ],
  PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: [
    "compatible",
    "The new schema no longer names a property, but what it says of unnamed ones fits",
  ],
  PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: [
    "lenient",
    "The new schema no longer names a property, and what it says of unnamed ones does not fit",
  ],
  RESERVED_PROPERTY_REMOVED: ["breaking", "The new schema no longer reserves a property that the old schema reserves"],
  RESERVED_PROPERTY_CONFLICTS_WITH_PROPERTY: ["breaking", "The new schema has a property that is reserved"],
  MAX_ITEMS_ADDED: ["breaking", "The new schema limits the number of items, the old schema does not"],
  MAX_ITEMS_REMOVED: ["compatible", "The old schema limits the number of items, the new schema does not"],
  MAX_ITEMS_INCREASED: ["compatible", "The new schema allows more items"],
  MAX_ITEMS_DECREASED: ["breaking", "The new schema allows fewer items than the old schema"],
  MIN_ITEMS_ADDED: ["breaking", "The new schema demands a least number of items, the old schema does not"],
  MIN_ITEMS_REMOVED: ["compatible", "The old schema demands a least number of items, the new schema does not"],
  MIN_ITEMS_INCREASED: ["breaking", "The new schema demands more items than the old schema"],
  MIN_ITEMS_DECREASED: ["compatible", "The new schema demands fewer items"],
  MAX_CONTAINS_ADDED: ["breaking", "The new schema limits the number of matching items, the old schema does not"],
  MAX_CONTAINS_REMOVED: ["compatible", "The old schema limits the number of matching items, the new schema does not"],
  MAX_CONTAINS_INCREASED: ["compatible", "The new schema allows more matching items"],
  MAX_CONTAINS_DECREASED: ["breaking", "The new schema allows fewer matching items than the old schema"],
  MIN_CONTAINS_ADDED: ["breaking", "The new schema demands a least number of matching items, the old schema does not"],
  MIN_CONTAINS_REMOVED: [
    "compatible",
    "The old schema demands a least number of matching items, the new schema does not",
  ],
  MIN_CONTAINS_INCREASED: ["breaking", "The new schema demands more matching items than the old schema"],
  MIN_CONTAINS_DECREASED: ["compatible", "The new schema demands fewer matching items"],
  UNIQUE_ITEMS_ADDED: ["breaking", "The new schema demands unique items, the old schema does not"],
  UNIQUE_ITEMS_REMOVED: ["compatible", "The old schema demands unique items, the new schema does not"],
  ADDITIONAL_ITEMS_ADDED: ["compatible", "The new schema accepts additional items, the old schema does not"],
  ADDITIONAL_ITEMS_REMOVED: ["breaking", "The new schema refuses additional items that the old schema accepts"],
  ADDITIONAL_ITEMS_EXTENDED: ["compatible", "The old schema constrains additional items, the new schema does not"],
  ADDITIONAL_ITEMS_NARROWED: ["breaking", "The new schema constrains additional items, the old schema does not"],
  UNEVALUATED_ITEMS_ADDED: ["compatible", "The new schema accepts unevaluated items, the old schema does not"],
  UNEVALUATED_ITEMS_REMOVED: ["breaking", "The new schema refuses unevaluated items that the old schema accepts"],
  UNEVALUATED_ITEMS_EXTENDED: ["compatible", "The new schema constrains unevaluated items less"],
  UNEVALUATED_ITEMS_NARROWED: ["breaking", "The new schema constrains unevaluated items more than the old schema"],
  ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL: [
    "compatible",
    "The new schema lists, without constraining it, an item that the open old schema does not list",
  ],
  ITEM_ADDED_TO_OPEN_CONTENT_MODEL: [
    "breaking",
    "The new schema constrains an item that the open old schema does not list and so leaves free",
  ],
  ITEM_ADDED_TO_CLOSED_CONTENT_MODEL: [
    "compatible",
    "The new schema lists an item that the closed old schema does not allow",
  ],
  ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: [
    "compatible",
    "The new schema lists an item that fits what the partially open old schema says of it",
  ],
  ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: [
    "breaking",
    "The new schema lists an item that does not fit what the partially open old schema says of it",
  ],
  ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL: ["compatible", "The new schema, which is open, no longer lists an item"],
  ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL: [
    "breaking",
    "The new schema, which is closed, no longer lists an item of the old schema and so refuses it",
  ],
  ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL: [
    "compatible",
    "The new schema, which is closed, no longer lists an item that the old schema forbids",
  ],
  ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: [
    "compatible",
    "The new schema no longer lists an item, but what it says of further ones fits",
  ],
  ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: [
    "breaking",
    "The new schema no longer lists an item, and what it says of further ones does not fit",
  ],
  ENUM_ARRAY_EXTENDED: ["compatible", "The new schema lists more values"],
  ENUM_ARRAY_NARROWED: ["breaking", "The new schema no longer lists some values of the old schema"],
  ENUM_ARRAY_CHANGED: ["breaking", "The new schema lists other values than the old schema"],
  COMBINED_TYPE_EXTENDED: ["compatible", "The new schema combines its members more loosely"],
  COMBINED_TYPE_CHANGED: ["breaking", "The new schema combines its members otherwise than the old schema"],
  PRODUCT_TYPE_EXTENDED: ["breaking", "The new schema demands more schemas at once than the old schema"],
  PRODUCT_TYPE_NARROWED: ["compatible", "The new schema demands fewer schemas at once"],
  SUM_TYPE_EXTENDED: ["compatible", "The new schema offers more alternatives"],
  SUM_TYPE_NARROWED: ["breaking", "The new schema offers fewer alternatives than the old schema"],
  COMBINED_TYPE_SUBSCHEMAS_CHANGED: ["breaking", "The new schema has members that match none of the old schema"],
  NOT_TYPE_EXTENDED: ["breaking", "The new schema forbids more than the old schema"],
  NOT_TYPE_NARROWED: ["compatible", "The new schema forbids no more than the old schema"],
} as const satisfies Record<string, readonly [Verdict, string]>;

export type ConfluentKind = keyof typeof KINDS;
export type ConfluentPolicy = "strict" | "lenient";

export const CONFLUENT_KINDS = Object.keys(KINDS) as ConfluentKind[];

export function isConfluentKind(kind: string): kind is ConfluentKind {
  return Object.hasOwn(KINDS, kind);
}

export function isBreaking(kind: ConfluentKind, policy: ConfluentPolicy): boolean {
  const verdict: Verdict = KINDS[kind][0];
  return verdict === "breaking" || (verdict === "lenient" && policy === "strict");
}

export function rateSeverity(kind: ConfluentKind, policy: ConfluentPolicy): Severity {
  return isBreaking(kind, policy) ? "breaking" : "info";
}

/** The kind's message, with `new` for the reader and `old` for the writer, as in the Confluent contract. */
export function describeKind(kind: ConfluentKind): string {
  return KINDS[kind][1];
}
