package com.llm.schemaregistry;

import java.util.Objects;

/** A JSON Schema. */
public final class JsonSchema implements Schema {
  private final String text;

  private JsonSchema(String text) {
    this.text = Objects.requireNonNull(text, "text");
  }

  public static JsonSchema of(String text) {
    return new JsonSchema(text);
  }

  @Override
  public String format() {
    return "json-schema";
  }

  @Override
  public String text() {
    return text;
  }
}
