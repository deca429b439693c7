/** A schema to register or to check, with the format that says how to read it. */
import type { SchemaFormat } from "./models.js";

export interface SchemaInput {
  readonly format: SchemaFormat;
  readonly content: unknown;
}

/** A JSON Schema: an object or a boolean, or its text. */
export class JSONSchema implements SchemaInput {
  readonly format = "json-schema";
  readonly content: unknown;

  constructor(content: object | boolean | string) {
    this.content = content;
  }
}

/** An Avro schema: its JSON value, or its text. */
export class AvroSchema implements SchemaInput {
  readonly format = "avro";
  readonly content: unknown;

  constructor(content: object | string) {
    this.content = content;
  }
}

/** The text of a .proto file. */
export class ProtobufSchema implements SchemaInput {
  readonly format = "protobuf";
  readonly content: string;

  constructor(text: string) {
    this.content = text;
  }
}
