/**
 * Locates and explains what protobuf-es refuses in a JSON value: the library stops at the first problem and gives no
 * location.
 */
import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { type DataError, MAX_DATA_ERRORS } from "../../data.ts";
import { describeValue } from "../../described-value.ts";
import { pointerToken } from "../../json-text.ts";
import { nearestWord } from "../../spelling.ts";
import { type MessageTypes, messagePointer } from "./message-types.ts";

export function explainRefusal(types: MessageTypes, message: DescMessage, value: JsonValue): DataError[] {
  const explainer = new Explainer(types);
  explainer.message(message, value, "", messagePointer(message, types));
  return explainer.errors;
}

/** Messages with a special JSON form, in words. */
const FORMS: Readonly<Record<string, string>> = {
  "google.protobuf.Any": 'an object with the "@type" of a message of the schema',
  "google.protobuf.Timestamp": 'a time such as "2026-01-31T12:00:00Z"',
  "google.protobuf.Duration": 'a duration such as "1.5s"',
  "google.protobuf.FieldMask": 'names of fields such as "user.name,user.email"',
  "google.protobuf.Struct": "an object",
  "google.protobuf.Value": "any JSON value of finite numbers",
  "google.protobuf.ListValue": "an array",
  "google.protobuf.BoolValue": "a boolean or null",
  "google.protobuf.StringValue": "a string or null",
  "google.protobuf.BytesValue": "base64 or null",
};
const WRAPPED_NUMBER = /^google\.protobuf\.(?:Double|Float|U?Int(?:32|64))Value$/;
const MAX_NAMED = 8;
/** Parts that are read by themselves to find those at fault: a tenth of a second. */
export const MAX_TRIED_PARTS = 10_000;

class Explainer {
  readonly errors: DataError[] = [];
  readonly #types: MessageTypes;
  #triedParts = 0;

  constructor(types: MessageTypes) {
    this.#types = types;
  }

  /** Recursion ends where protobuf-es does: the value is no deeper than MAX_JSON_DEPTH. */
  message(type: DescMessage, value: JsonValue, at: string, schemaAt: string): void {
    if (this.#isDone) return;
    const form = FORMS[type.typeName] ?? (WRAPPED_NUMBER.test(type.typeName) ? "a number or null" : undefined);
    if (form !== undefined) {
      if (!this.#accepts(type, value)) this.#note("message", form, describeValue(value), at, schemaAt);
      return;
    }
    if (!isObject(value)) {
      this.#note("message", `an object of the message ${type.typeName}`, describeValue(value), at, schemaAt);
      return;
    }
    const byName = new Map(
      type.fields.flatMap((field) => [[field.name, field] as const, [field.jsonName, field] as const]),
    );
    const set = new Map<object, string>();
    for (const [name, member] of Object.entries(value)) {
      const memberAt = `${at}/${pointerToken(name)}`;
      const field = byName.get(name);
      if (field === undefined) {
        if (!this.#accepts(type, { [name]: member })) this.#unknown(type, name, memberAt, schemaAt);
        continue;
      }
      const group = field.oneof ?? field;
      const other = set.get(group);
      if (other !== undefined && member !== null) {
        const expected = field.oneof
          ? `one member of the oneof "${field.oneof.name}"`
          : `the field "${field.name}" once`;
        this.#note("oneof", expected, `"${other}" and "${name}"`, memberAt, schemaAt);
      }
      if (member !== null) set.set(group, name);
      this.#field(field, name, member, memberAt, `${schemaAt}/${field.number}`);
    }
  }

  /** Only values without parts are tried with protobuf-es, so that each is tried once. */
  #field(field: DescField, name: string, value: JsonValue, at: string, schemaAt: string): void {
    if (value === null) return;
    switch (field.fieldKind) {
      case "message":
        this.message(field.message, value, at, messagePointer(field.message, this.#types));
        return;
      case "list":
        if (Array.isArray(value)) {
          value.forEach((item, index) => {
            this.#part(field, { [name]: [item] }, item, `${at}/${index}`, schemaAt);
          });
        } else this.#note("repeated", "an array", describeValue(value), at, schemaAt);
        return;
      case "map":
        if (isObject(value)) {
          for (const [key, item] of Object.entries(value)) {
            const only = Object.fromEntries([[key, item]]);
            this.#part(field, { [name]: only }, item, `${at}/${pointerToken(key)}`, schemaAt, key);
          }
        } else this.#note("map", "an object", describeValue(value), at, schemaAt);
        return;
      default:
        if (this.#accepts(field.parent, { [name]: value })) return;
        this.#note(kindOf(field), expectation(field), describeValue(value), at, schemaAt);
    }
  }

  /** One item of a list or value of a map; `alone` is a message that contains only this item. */
  #part(
    field: DescField & { fieldKind: "list" | "map" },
    alone: JsonObject,
    value: JsonValue,
    at: string,
    schemaAt: string,
    key?: string,
  ): void {
    if (field.message !== undefined && value !== null && (key === undefined || isStringMap(field))) {
      this.message(field.message, value, at, messagePointer(field.message, this.#types));
      return;
    }
    if (this.#accepts(field.parent, alone)) return;
    const keyNote =
      key === undefined
        ? ""
        : `, under a key of ${ScalarType[field.fieldKind === "map" ? field.mapKey : ScalarType.STRING].toLowerCase()}`;
    const got = key === undefined ? describeValue(value) : `${describeValue(value)} under ${describeValue(key)}`;
    this.#note(kindOf(field), `${expectation(field)}${keyNote}`, got, at, schemaAt);
  }

  #unknown(type: DescMessage, name: string, at: string, schemaAt: string): void {
    const known = type.fields.map(({ jsonName }) => jsonName);
    const meant = nearestWord(name, known);
    const more = known.length > MAX_NAMED ? ` and ${known.length - MAX_NAMED} more` : "";
    const expected = `no more than the fields of ${type.typeName}: ${known.slice(0, MAX_NAMED).join(", ")}${more}`;
    const got = `the unknown field ${describeValue(name)}${meant === undefined ? "" : ` (did you mean "${meant}"?)`}`;
    this.#note("unknown_field", expected, got, at, schemaAt);
  }

  get #isDone(): boolean {
    return this.errors.length >= MAX_DATA_ERRORS || this.#triedParts >= MAX_TRIED_PARTS;
  }

  /** Beyond the limit nothing counts as an error. */
  #accepts(type: DescMessage, value: JsonValue): boolean {
    if (this.#isDone) return true;
    this.#triedParts += 1;
    try {
      fromJson(type, value, { registry: this.#types.registry });
      return true;
    } catch {
      return false;
    }
  }

  #note(keyword: string, expected: string, got: string, pointer: string, schemaPointer: string): void {
    if (this.errors.length >= MAX_DATA_ERRORS) return;
    const message = `Expected ${expected}, got ${got}.`;
    this.errors.push({ pointer, keyword, schema_pointer: schemaPointer, message, expected, got });
  }
}

function isStringMap(field: DescField): boolean {
  return field.fieldKind === "map" && field.mapKey === ScalarType.STRING;
}

function kindOf(field: DescField): string {
  if (field.enum !== undefined) return "enum";
  return field.message === undefined ? "scalar" : "message";
}

function expectation(field: DescField): string {
  if (field.enum !== undefined) {
    const { values, typeName } = field.enum;
    const more = values.length > MAX_NAMED ? ` and ${values.length - MAX_NAMED} more` : "";
    const names = values.slice(0, MAX_NAMED).map(({ name }) => name);
    return `a name or number of the enum ${typeName}: ${names.join(", ")}${more}`;
  }
  if (field.message !== undefined) return `a value of ${field.message.typeName}`;
  switch (field.scalar) {
    case ScalarType.BOOL:
      return "a boolean";
    case ScalarType.STRING:
      return "a string of Unicode characters";
    case ScalarType.BYTES:
      return "base64";
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return `a ${field.scalar === ScalarType.FLOAT ? "float" : "double"}: a number, "NaN", "Infinity" or "-Infinity"`;
    default:
      return `a number of ${ScalarType[field.scalar!].toLowerCase()}`;
  }
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
