package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;

/** A rule that a schema breaks, or a warning about it. */
public final class SchemaProblem extends Document {
  SchemaProblem(JsonNode node) {
    super(node);
  }

  public static SchemaProblem ofJson(String json) {
    return new SchemaProblem(parse(json));
  }

  public String rule() {
    return text("rule");
  }

  public String message() {
    return text("message");
  }

  public String pointer() {
    return text("pointer");
  }
}
