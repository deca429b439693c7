package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** Whether data is valid, and why not. */
public final class ValidationResult extends Document {
  private final boolean stale;

  private ValidationResult(JsonNode node, boolean stale) {
    super(node);
    this.stale = stale;
  }

  public static ValidationResult ofJson(String json, boolean stale) {
    return new ValidationResult(parse(json), stale);
  }

  public boolean valid() {
    return flag("valid");
  }

  public List<ValidationError> errors() {
    return list("errors", ValidationError::new);
  }

  /** "local" where this client decided, else the registry's engine. */
  public String engine() {
    return text("engine");
  }

  /** Whether the schema came from an expired cache entry while the registry was away. */
  public boolean stale() {
    return stale;
  }
}
