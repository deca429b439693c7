package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;

/** A datum that the writer may produce and the reader refuses. */
public final class Witness extends Document {
  Witness(JsonNode node) {
    super(node);
  }

  public static Witness ofJson(String json) {
    return new Witness(parse(json));
  }

  public String status() {
    return text("status");
  }

  public String readerResult() {
    return text("reader_result");
  }

  public String reason() {
    return text("reason");
  }

  /** The datum as JSON text; null where none was found. */
  public String datum() {
    return json("datum");
  }
}
