/** The Confluent server's names for the differences between two Protobuf schemas, and which of them break. */

const COMPATIBLE = {
  MESSAGE_ADDED: "info",
  MESSAGE_MOVED: "info",
  ENUM_ADDED: "info",
  ENUM_REMOVED: "info",
  ENUM_CONST_ADDED: "info",
  ENUM_CONST_CHANGED: "info",
  ENUM_CONST_REMOVED: "info",
  FIELD_ADDED: "info",
  FIELD_REMOVED: "info",
  FIELD_NAME_CHANGED: "info",
  FIELD_STRING_OR_BYTES_LABEL_CHANGED: "info",
  ONEOF_ADDED: "info",
  ONEOF_REMOVED: "info",
  ONEOF_FIELD_ADDED: "info",
  ONEOF_FIELD_MOVED_TO_TOP_LEVEL: "info",
} as const;

const INCOMPATIBLE = {
  PACKAGE_CHANGED: "breaking",
  MESSAGE_REMOVED: "breaking",
  FIELD_KIND_CHANGED: "breaking",
  FIELD_SCALAR_KIND_CHANGED: "breaking",
  FIELD_NAMED_TYPE_CHANGED: "breaking",
  FIELD_NUMERIC_LABEL_CHANGED: "breaking",
  REQUIRED_FIELD_ADDED: "breaking",
  REQUIRED_FIELD_REMOVED: "breaking",
  ONEOF_FIELD_REMOVED: "breaking",
  MULTIPLE_FIELDS_MOVED_TO_ONEOF: "breaking",
  FIELD_MOVED_TO_EXISTING_ONEOF: "breaking",
} as const;

/** Every kind of the Confluent server, with its severity. */
export const CONFLUENT_KINDS = { ...COMPATIBLE, ...INCOMPATIBLE } as const;
export type ConfluentKind = keyof typeof CONFLUENT_KINDS;
