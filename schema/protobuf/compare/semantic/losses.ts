/**
 * The effect of each change on data between writer and reader, as a table for the policy `semantic`. Breaking: some
 * message of the writer is refused or misread. Warning: the value arrives, but JSON, presence or a guarantee changes.
 * Info: nothing is lost. The table in docs/compatibility.md is generated from it.
 */
import type { Severity, WriterAssumption } from "../../../compatibility.ts";

export type Loss = {
  readonly severity: Severity;
  /** The severity if writers may send what their schema does not declare, if it differs. */
  readonly any?: Severity;
  /** One sentence: the effect on the data. */
  readonly reason: string;
  /** What would make it compatible; absent if nothing is needed. */
  readonly fix?: string;
};

const KEEP_TYPE = "Keep the type, or add a field with a new number and reserve the old one.";
const RESERVE = "Reserve the number and the name, so that they are not reused.";

const TYPE_LOSSES = {
  WIRE_TYPE_CHANGED: {
    severity: "breaking",
    reason:
      "The two types travel in different wire types: the reader skips the value as unknown, or refuses the message.",
    fix: KEEP_TYPE,
  },
  INTEGER_TRUNCATED: {
    severity: "breaking",
    reason: "The reader keeps the lower 32 bits of a 64-bit value.",
    fix: KEEP_TYPE,
  },
  INTEGER_SIGN_CHANGED: {
    severity: "breaking",
    reason: "The same bits mean another number: negative becomes large, or large becomes negative.",
    fix: KEEP_TYPE,
  },
  ZIGZAG_CHANGED: {
    severity: "breaking",
    reason: "One side encodes integers in zigzag and the other does not, so the reader sees other numbers.",
    fix: KEEP_TYPE,
  },
  INTEGER_READ_AS_BOOL: {
    severity: "breaking",
    reason: "Every number but zero is read as true.",
    fix: KEEP_TYPE,
  },
  FLOAT_REINTERPRETED: {
    severity: "breaking",
    reason: "The bits of a floating-point number are read as an integer, or the reverse.",
    fix: KEEP_TYPE,
  },
  INTEGER_READ_AS_CLOSED_ENUM: {
    severity: "breaking",
    reason: "A closed enum refuses numbers that it does not list: the field reads as unset.",
    fix: KEEP_TYPE,
  },
  INTEGER_READ_AS_OPEN_ENUM: {
    severity: "warning",
    reason: "The number arrives, but most numbers have no name in the enum, and JSON holds the number.",
  },
  INTEGER_WIDENED: { severity: "info", reason: "Every value of the writer has the same value in the reader." },
  BOOL_READ_AS_INTEGER: {
    severity: "warning",
    reason: "False and true are read as 0 and 1; JSON readers refuse the words.",
  },
  BOOL_READ_AS_ENUM: {
    severity: "warning",
    reason: "False and true are read as the enum values 0 and 1; JSON readers refuse the words.",
  },
  ENUM_READ_AS_INTEGER: {
    severity: "warning",
    reason: "The number arrives without its name; JSON readers refuse the name.",
  },
  ENUM_READ_AS_BOOL: {
    severity: "warning",
    reason: "The enum values 0 and 1 are read as false and true; JSON readers refuse the names.",
  },
  STRING_READ_AS_BYTES: {
    severity: "warning",
    reason: "The bytes are those of the text; JSON readers take the text for base64.",
  },
  BYTES_READ_AS_STRING: {
    severity: "breaking",
    reason: "Bytes that are not UTF-8 are refused, or read as damaged text.",
    fix: KEEP_TYPE,
  },
  UTF8_VALIDATION_ADDED: {
    severity: "warning",
    any: "breaking",
    reason: "The writer may send text that is not UTF-8, which the reader refuses.",
    fix: "Make sure that writers send UTF-8 only, or leave utf8_validation at NONE.",
  },
  MESSAGE_READ_AS_BYTES: {
    severity: "warning",
    reason: "The reader gets the encoded message and has to decode it; JSON differs.",
  },
  MESSAGE_READ_AS_STRING: {
    severity: "breaking",
    reason: "An encoded message is in general not UTF-8 text.",
    fix: KEEP_TYPE,
  },
  BYTES_READ_AS_MESSAGE: {
    severity: "breaking",
    reason: "Text or bytes are in general not an encoded message.",
    fix: KEEP_TYPE,
  },
  TYPE_NAME_CHANGED: {
    severity: "warning",
    reason: "Values arrive as far as the fields of the two types agree, but no schema says that they mean the same.",
  },
  WELL_KNOWN_TYPE_CHANGED: {
    severity: "breaking",
    reason: "The two well-known types stand for different things, even where their fields agree.",
    fix: KEEP_TYPE,
  },
  MESSAGE_READ_AS_MAP_ENTRY: {
    severity: "breaking",
    reason: "The reader takes the message for an entry of a map: it reads a key and a value that were never written.",
    fix: KEEP_TYPE,
  },
  MAP_ENTRY_READ_AS_MESSAGE: {
    severity: "breaking",
    reason: "The reader takes the key and the value of an entry for other fields.",
    fix: KEEP_TYPE,
  },
  JSON_MAPPING_CHANGED: {
    severity: "warning",
    reason: "One of the types has a JSON form of its own, so the same message has other JSON.",
  },
  TYPE_UNRESOLVED: {
    severity: "breaking",
    reason: "The type is not known, and its name changed: nothing can be said for its values.",
    fix: "Provide the missing reference, or keep the type's name.",
  },
} as const satisfies Record<string, Loss>;

const PRESENCE_LOSSES = {
  REQUIRED_BY_READER: {
    severity: "breaking",
    reason: "The reader refuses messages without the field, and the writer may leave it out.",
    fix: "Leave the field optional.",
  },
  REQUIRED_FIELD_ADDED: {
    severity: "breaking",
    reason: "The reader refuses messages without the field, and the writer never sends it.",
    fix: "Add the field as optional.",
  },
  REQUIRED_FIELD_REMOVED: {
    severity: "info",
    reason: "The reader ignores the field; in the other direction the required field would be missing.",
  },
  REQUIRED_RELAXED: { severity: "info", reason: "The writer always sends the field, the reader can do without." },
  PRESENCE_LOST: {
    severity: "warning",
    reason: "The reader cannot tell a field that was set to its zero value from one that was not set.",
    fix: "Keep the presence of the field explicit.",
  },
  PRESENCE_GAINED: {
    severity: "warning",
    reason: "The writer leaves out zero values, which the reader takes for fields that were not set.",
  },
  ONEOF_CASE_LOST: {
    severity: "breaking",
    reason: "A member of the oneof that is set to its zero value reads as not set, and so the case is lost.",
    fix: "Keep the field in the oneof, or give it explicit presence.",
  },
  REPEATED_READ_AS_SINGULAR: {
    severity: "breaking",
    reason: "The reader keeps the last element, or none where the elements travel packed.",
    fix: "Keep the field repeated.",
  },
  SINGULAR_READ_AS_REPEATED: {
    severity: "warning",
    reason: "The value is read as a list of one element, or none where it was not sent; JSON differs.",
  },
  REPEATED_READ_AS_MAP: {
    severity: "warning",
    any: "breaking",
    reason: "Of the elements with the same key the reader keeps the last, and their order is lost.",
    fix: "Keep the field repeated.",
  },
  MAP_READ_AS_REPEATED: {
    severity: "warning",
    reason: "The entries arrive as messages with a key and a value; JSON differs.",
  },
  DEFAULT_CHANGED: {
    severity: "breaking",
    reason: "A field that was not sent has another value for the reader than for the writer.",
    fix: "Keep the default.",
  },
  PACKING_CHANGED: { severity: "info", reason: "Readers take both forms of a repeated field." },
} as const satisfies Record<string, Loss>;

const FIELD_LOSSES = {
  FIELD_ADDED: { severity: "info", reason: "The reader takes the field's default." },
  FIELD_REMOVED: { severity: "info", reason: "The reader ignores the field.", fix: RESERVE },
  FIELD_RENAMED: {
    severity: "warning",
    reason: "The binary form is the same; JSON and text readers do not find the field under its old name.",
    fix: "Keep the name, or keep the old JSON name with json_name.",
  },
  FIELD_NAME_STILL_READ: {
    severity: "info",
    reason: "The binary form is the same, and JSON readers still take the name that the writer uses.",
  },
  FIELD_RENUMBERED: {
    severity: "breaking",
    reason: "The reader looks for the field under another number, and takes what the writer sends for something else.",
    fix: "Keep the number of the field.",
  },
  FIELD_JSON_NAME_CHANGED: {
    severity: "warning",
    reason: "The binary form is the same; JSON readers do not find the field under its old name.",
    fix: "Keep the JSON name.",
  },
  RESERVED_NUMBER_REUSED: {
    severity: "warning",
    reason: "The writer reserved the number: data from before may hold something else under it.",
    fix: "Take a number that was never used.",
  },
  RESERVED_NAME_REUSED: {
    severity: "warning",
    reason: "The writer reserved the name: JSON from before may hold something else under it.",
    fix: "Take a name that was never used.",
  },
  RESERVED_REMOVED: {
    severity: "warning",
    reason: "Nothing stops a later version from using the number or name for something else.",
    fix: "Keep it reserved.",
  },
  FIELDS_MERGED_INTO_ONEOF: {
    severity: "breaking",
    reason: "The writer can set them together, and the reader keeps only the last.",
    fix: "Leave the fields outside the oneof; only new fields may join one.",
  },
  FIELD_MOVED_INTO_ONEOF: { severity: "info", reason: "It is the only field of the writer in that oneof." },
  ONEOF_MEMBER_MOVED_OUT: {
    severity: "info",
    reason: "The value arrives; the schema no longer says that at most one is set.",
  },
  ONEOF_MEMBER_REMOVED: {
    severity: "warning",
    reason: "The reader sees a oneof with no member set.",
    fix: "Keep the field in the oneof.",
  },
  ONEOF_ADDED: { severity: "info", reason: "Names of oneofs do not travel." },
  ONEOF_REMOVED: { severity: "info", reason: "Names of oneofs do not travel." },
  EXTENSION_ADDED: { severity: "info", reason: "The reader takes the extension's default." },
  EXTENSION_REMOVED: { severity: "info", reason: "The reader ignores the extension." },
  EXTENSION_RANGE_REMOVED: {
    severity: "warning",
    reason: "Extensions with these numbers are ignored, and nothing stops fields from taking them.",
    fix: "Keep the extension range.",
  },
} as const satisfies Record<string, Loss>;

const ENUM_LOSSES = {
  ENUM_VALUE_ADDED: { severity: "info", reason: "The writer never sends the value." },
  ENUM_VALUE_UNKNOWN_TO_OPEN_ENUM: {
    severity: "warning",
    reason: "The reader gets the number without a name; JSON readers refuse the name.",
    fix: "Keep the value, marked as deprecated.",
  },
  ENUM_VALUE_UNKNOWN_TO_CLOSED_ENUM: {
    severity: "breaking",
    reason: "A closed enum refuses numbers that it does not list: the field reads as unset.",
    fix: "Keep the value, marked as deprecated.",
  },
  ENUM_VALUE_RENAMED: {
    severity: "warning",
    reason: "The number is the same; JSON and text readers refuse the old name.",
    fix: "Keep the old name as an alias (allow_alias).",
  },
  ENUM_VALUE_RENUMBERED: {
    severity: "breaking",
    reason: "The number that the writer sends denotes another value in the reader.",
    fix: "Keep the number of every value.",
  },
  ENUM_CLOSED: {
    severity: "warning",
    any: "breaking",
    reason: "Numbers without a name, which the writer's open enum lets through, are refused by the closed one.",
    fix: "Keep the enum open.",
  },
  ENUM_OPENED: { severity: "info", reason: "An open enum takes every value of a closed one." },
  ENUM_ADDED: { severity: "info", reason: "Enums do not travel by themselves." },
  ENUM_REMOVED: {
    severity: "info",
    reason: "Enums do not travel by themselves; the fields that used it are compared.",
  },
} as const satisfies Record<string, Loss>;

const MESSAGE_LOSSES = {
  MESSAGE_ADDED: { severity: "info", reason: "The writer never sends it." },
  MESSAGE_REMOVED: {
    severity: "breaking",
    reason: "The reader has no type to read it with.",
    fix: "Keep the message, marked as deprecated.",
  },
  MESSAGE_MOVED: {
    severity: "info",
    reason: "Message indexes in a wire header mean the writer's file, so readers still find the type.",
  },
  MESSAGE_SET_FORMAT_CHANGED: {
    severity: "breaking",
    reason: "Extensions travel in another form in a message set.",
    fix: "Keep message_set_wire_format.",
  },
} as const satisfies Record<string, Loss>;

const FILE_LOSSES = {
  PACKAGE_CHANGED: {
    severity: "warning",
    reason: "Messages read the same, but every full name changes: type URLs, rpc paths, generated code.",
    fix: "Keep the package.",
  },
  ANY_TYPE_URL_CHANGED: {
    severity: "breaking",
    reason: "The schema uses google.protobuf.Any, whose type URLs name the old package.",
    fix: "Keep the package.",
  },
  SERVICE_PATH_CHANGED: {
    severity: "breaking",
    reason: "The package is part of the path of every rpc: calls to the old path find nothing.",
    fix: "Keep the package.",
  },
  SYNTAX_CHANGED: { severity: "info", reason: "What it changes for fields and enums is reported there." },
  FILE_OPTION_CHANGED: { severity: "info", reason: "Only generated code changes." },
  SERVICE_ADDED: { severity: "info", reason: "No caller uses it yet." },
  SERVICE_REMOVED: { severity: "breaking", reason: "Calls find no service.", fix: "Keep the service." },
  RPC_ADDED: { severity: "info", reason: "No caller uses it yet." },
  RPC_REMOVED: { severity: "breaking", reason: "Calls find no rpc.", fix: "Keep the rpc." },
  RPC_REQUEST_TYPE_CHANGED: {
    severity: "breaking",
    reason: "Callers send another type than is expected.",
    fix: "Add an rpc under a new name.",
  },
  RPC_RESPONSE_TYPE_CHANGED: {
    severity: "breaking",
    reason: "Callers get another type than they expect.",
    fix: "Add an rpc under a new name.",
  },
  RPC_STREAMING_CHANGED: {
    severity: "breaking",
    reason: "One message and a stream of messages are called in different ways.",
    fix: "Add an rpc under a new name.",
  },
  RPC_IDEMPOTENCY_CHANGED: {
    severity: "warning",
    reason: "Callers may repeat calls that are no longer safe to repeat.",
    fix: "Keep the idempotency level.",
  },
} as const satisfies Record<string, Loss>;

export const LOSSES = {
  ...TYPE_LOSSES,
  ...PRESENCE_LOSSES,
  ...FIELD_LOSSES,
  ...ENUM_LOSSES,
  ...MESSAGE_LOSSES,
  ...FILE_LOSSES,
} as const satisfies Record<string, Loss>;
export type LossKind = keyof typeof LOSSES;

/** The severity of a loss under a writer assumption. */
export function rateSeverity(kind: LossKind, writers: WriterAssumption): Severity {
  const loss: Loss = LOSSES[kind];
  return writers === "any" ? (loss.any ?? loss.severity) : loss.severity;
}
