package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;

/** One place where data violates the schema. */
public final class ValidationError extends Document {
  ValidationError(JsonNode node) {
    super(node);
  }

  public static ValidationError ofJson(String json) {
    return new ValidationError(parse(json));
  }

  /** JSON pointer into the data. */
  public String pointer() {
    return text("pointer");
  }

  public String message() {
    return text("message");
  }

  public String keyword() {
    return text("keyword");
  }
}
