package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** The immutable part of a version. */
public final class SchemaContent extends Document {
  SchemaContent(JsonNode node) {
    super(node);
  }

  public static SchemaContent ofJson(String json) {
    return new SchemaContent(parse(json));
  }

  public String format() {
    return text("format");
  }

  public String dialect() {
    return text("dialect");
  }

  public List<Reference> references() {
    return list("references", Reference::new);
  }

  public String guid() {
    return text("guid");
  }

  public String fingerprint() {
    return text("fingerprint");
  }
}
