package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;

/** A schema rewritten for one model provider. */
public final class Projection extends Document {
  Projection(JsonNode node) {
    super(node);
  }

  public static Projection ofJson(String json) {
    return new Projection(parse(json));
  }

  public String profile() {
    return text("profile");
  }

  /** lossless, checked_after, lost; null where the schema is taken as it is. */
  public String loss() {
    return text("loss");
  }
}
