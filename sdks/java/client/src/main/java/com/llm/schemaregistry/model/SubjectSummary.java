package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;

/** A subject with its latest version, counts and settings. */
public final class SubjectSummary extends Document {
  SubjectSummary(JsonNode node) {
    super(node);
  }

  public static SubjectSummary ofJson(String json) {
    return new SubjectSummary(parse(json));
  }

  public String name() {
    return text("subject");
  }

  public String context() {
    return text("context");
  }

  public int versions() {
    return (int) number("versions");
  }

  public int deletedVersions() {
    return (int) number("deleted_versions");
  }

  public int drafts() {
    return (int) number("drafts");
  }

  public String level() {
    return text("level");
  }

  public String policy() {
    return text("policy");
  }

  public String mode() {
    return text("mode");
  }
}
