/** The kinds of changes to a limit, under every policy. */
export const LIMIT_KINDS = {
  minLength: {
    added: "MIN_LENGTH_ADDED",
    removed: "MIN_LENGTH_REMOVED",
    increased: "MIN_LENGTH_INCREASED",
    decreased: "MIN_LENGTH_DECREASED",
  },
  maxLength: {
    added: "MAX_LENGTH_ADDED",
    removed: "MAX_LENGTH_REMOVED",
    increased: "MAX_LENGTH_INCREASED",
    decreased: "MAX_LENGTH_DECREASED",
  },
  minItems: {
    added: "MIN_ITEMS_ADDED",
    removed: "MIN_ITEMS_REMOVED",
    increased: "MIN_ITEMS_INCREASED",
    decreased: "MIN_ITEMS_DECREASED",
  },
  maxItems: {
    added: "MAX_ITEMS_ADDED",
    removed: "MAX_ITEMS_REMOVED",
    increased: "MAX_ITEMS_INCREASED",
    decreased: "MAX_ITEMS_DECREASED",
  },
  minProperties: {
    added: "MIN_PROPERTIES_ADDED",
    removed: "MIN_PROPERTIES_REMOVED",
    increased: "MIN_PROPERTIES_INCREASED",
    decreased: "MIN_PROPERTIES_DECREASED",
  },
  maxProperties: {
    added: "MAX_PROPERTIES_ADDED",
    removed: "MAX_PROPERTIES_REMOVED",
    increased: "MAX_PROPERTIES_INCREASED",
    decreased: "MAX_PROPERTIES_DECREASED",
  },
  minContains: {
    added: "MIN_CONTAINS_ADDED",
    removed: "MIN_CONTAINS_REMOVED",
    increased: "MIN_CONTAINS_INCREASED",
    decreased: "MIN_CONTAINS_DECREASED",
  },
  maxContains: {
    added: "MAX_CONTAINS_ADDED",
    removed: "MAX_CONTAINS_REMOVED",
    increased: "MAX_CONTAINS_INCREASED",
    decreased: "MAX_CONTAINS_DECREASED",
  },
  minimum: {
    added: "MINIMUM_ADDED",
    removed: "MINIMUM_REMOVED",
    increased: "MINIMUM_INCREASED",
    decreased: "MINIMUM_DECREASED",
  },
  maximum: {
    added: "MAXIMUM_ADDED",
    removed: "MAXIMUM_REMOVED",
    increased: "MAXIMUM_INCREASED",
    decreased: "MAXIMUM_DECREASED",
  },
  exclusiveMinimum: {
    added: "EXCLUSIVE_MINIMUM_ADDED",
    removed: "EXCLUSIVE_MINIMUM_REMOVED",
    increased: "EXCLUSIVE_MINIMUM_INCREASED",
    decreased: "EXCLUSIVE_MINIMUM_DECREASED",
  },
  exclusiveMaximum: {
    added: "EXCLUSIVE_MAXIMUM_ADDED",
    removed: "EXCLUSIVE_MAXIMUM_REMOVED",
    increased: "EXCLUSIVE_MAXIMUM_INCREASED",
    decreased: "EXCLUSIVE_MAXIMUM_DECREASED",
  },
} as const;

export type LimitKeyword = keyof typeof LIMIT_KINDS;
