package com.llm.schemaregistry;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A registration. Immutable; made by {@link #of} and {@link Builder}. */
public final class RegisterRequest {
  final String subject;
  final Schema schema;
  final Map<String, Object> attributes;
  final String idempotencyKey;

  private RegisterRequest(Builder builder) {
    this.subject = builder.subject;
    this.schema = builder.schema;
    this.attributes = new LinkedHashMap<>(builder.attributes);
    this.idempotencyKey = builder.idempotencyKey;
  }

  public static Builder of(String subject, Schema schema) {
    return new Builder(subject, schema);
  }

  /** Builds a registration. */
  public static final class Builder {
    private final String subject;
    private final Schema schema;
    private final Map<String, Object> attributes = new LinkedHashMap<>();
    private String idempotencyKey;

    private Builder(String subject, Schema schema) {
      this.subject = Objects.requireNonNull(subject, "subject");
      this.schema = Objects.requireNonNull(schema, "schema");
    }

    /** The target of a reference of the schema: a version of another subject. */
    public Builder reference(String name, String referencedSubject, int version) {
      @SuppressWarnings("unchecked")
      List<Object> references = (List<Object>) attributes.computeIfAbsent("references", key -> new java.util.ArrayList<>());
      references.add(Map.of("name", name, "subject", referencedSubject, "version", version));
      return this;
    }

    /** The semantic version to assign; by default the change determines the next one. */
    public Builder version(String version) {
      return set("version", version);
    }

    /** draft or active. */
    public Builder state(String state) {
      return set("state", state);
    }

    /** The subject's level, if this registration creates the subject. */
    public Builder compatibilityLevel(String level) {
      return set("compatibility_level", level);
    }

    public Builder description(String description) {
      return set("description", description);
    }

    public Builder tags(List<String> tags) {
      return set("tags", List.copyOf(tags));
    }

    public Builder owner(String owner) {
      return set("owner", owner);
    }

    public Builder metadata(Map<String, ?> metadata) {
      return set("metadata", Map.copyOf(metadata));
    }

    public Builder role(String role) {
      return set("role", role);
    }

    /** Repeats an earlier registration; otherwise each call makes its own key. */
    public Builder idempotencyKey(String key) {
      this.idempotencyKey = key;
      return this;
    }

    public RegisterRequest build() {
      return new RegisterRequest(this);
    }

    private Builder set(String attribute, Object value) {
      attributes.put(attribute, value);
      return this;
    }
  }
}
