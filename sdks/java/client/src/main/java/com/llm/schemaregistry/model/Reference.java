package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;

/** The target of a schema's reference: a version of another subject. */
public final class Reference extends Document {
  Reference(JsonNode node) {
    super(node);
  }

  public static Reference ofJson(String json) {
    return new Reference(parse(json));
  }

  public String name() {
    return text("name");
  }

  public String subject() {
    return text("subject");
  }

  public int version() {
    return (int) number("version");
  }
}
