package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;

/** One way in which two schemas differ. */
public final class Difference extends Document {
  Difference(JsonNode node) {
    super(node);
  }

  public static Difference ofJson(String json) {
    return new Difference(parse(json));
  }

  public String kind() {
    return text("kind");
  }

  public String readerPointer() {
    return text("reader_pointer");
  }

  public String writerPointer() {
    return text("writer_pointer");
  }

  public String message() {
    return text("message");
  }

  public String severity() {
    return text("severity");
  }

  public String fix() {
    return text("fix");
  }

  public String direction() {
    return text("direction");
  }

  /** Null where none was looked for. */
  public Witness witness() {
    return node.hasNonNull("witness") ? new Witness(node.get("witness")) : null;
  }
}
