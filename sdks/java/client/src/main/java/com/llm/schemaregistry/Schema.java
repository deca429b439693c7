package com.llm.schemaregistry;

/** A schema to register or to check, with the format that says how to read it. */
public interface Schema {
  /** json-schema, avro or protobuf. */
  String format();

  /** The text. */
  String text();
}
