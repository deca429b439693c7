package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;

/** One error in a request, with its location. */
public final class ErrorPlace extends Document {
  ErrorPlace(JsonNode node) {
    super(node);
  }

  public static ErrorPlace ofJson(String json) {
    return new ErrorPlace(parse(json));
  }

  public String pointer() {
    return text("pointer");
  }

  public String rule() {
    return text("rule");
  }

  public String message() {
    return text("message");
  }
}
