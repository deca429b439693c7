package com.llm.schemaregistry;

import java.util.Objects;

/** An Avro schema. */
public final class AvroSchema implements Schema {
  private final String text;

  private AvroSchema(String text) {
    this.text = Objects.requireNonNull(text, "text");
  }

  public static AvroSchema of(String text) {
    return new AvroSchema(text);
  }

  @Override
  public String format() {
    return "avro";
  }

  @Override
  public String text() {
    return text;
  }
}
