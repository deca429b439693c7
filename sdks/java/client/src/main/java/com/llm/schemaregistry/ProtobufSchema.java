package com.llm.schemaregistry;

import java.util.Objects;

/** A .proto file. */
public final class ProtobufSchema implements Schema {
  private final String text;

  private ProtobufSchema(String text) {
    this.text = Objects.requireNonNull(text, "text");
  }

  public static ProtobufSchema of(String text) {
    return new ProtobufSchema(text);
  }

  @Override
  public String format() {
    return "protobuf";
  }

  @Override
  public String text() {
    return text;
  }
}
