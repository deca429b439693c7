package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;

/** A version that a search found, without content and fingerprint. */
public final class SearchHit extends Document {
  SearchHit(JsonNode node) {
    super(node);
  }

  public static SearchHit ofJson(String json) {
    return new SearchHit(parse(json));
  }

  public SchemaRecord record() {
    return node.hasNonNull("record") ? new SchemaRecord(node.get("record")) : null;
  }

  public double score() {
    return node.path("score").asDouble();
  }
}
