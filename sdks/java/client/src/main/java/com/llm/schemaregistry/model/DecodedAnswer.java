package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;

/** One answer of a model, turned back into data of the original schema. */
public final class DecodedAnswer extends Document {
  DecodedAnswer(JsonNode node) {
    super(node);
  }

  public static DecodedAnswer ofJson(String json) {
    return new DecodedAnswer(parse(json));
  }

  public String outcome() {
    return text("outcome");
  }

  public String message() {
    return text("message");
  }
}
