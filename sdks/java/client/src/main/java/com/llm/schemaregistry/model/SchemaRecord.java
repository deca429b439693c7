package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** One registered version of a subject. */
public final class SchemaRecord extends Document {
  SchemaRecord(JsonNode node) {
    super(node);
  }

  public static SchemaRecord ofJson(String json) {
    return new SchemaRecord(parse(json));
  }

  public String id() {
    return text("id");
  }

  public String subject() {
    return text("subject");
  }

  public String context() {
    return text("context");
  }

  /** The semantic version; null while a draft. */
  public String version() {
    return text("version");
  }

  /** The number within the subject, from 1; 0 while a draft. */
  public int versionNumber() {
    return (int) number("version_number");
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

  public int confluentId() {
    return (int) number("confluent_id");
  }

  /** Null on search hits. */
  public String fingerprint() {
    return text("fingerprint");
  }

  public String state() {
    return text("state");
  }

  public String description() {
    return text("description");
  }

  public List<String> tags() {
    return list("tags", JsonNode::asText);
  }

  public String owner() {
    return text("owner");
  }

  public String role() {
    return text("role");
  }

  public String createdAt() {
    return text("created_at");
  }

  public String createdBy() {
    return text("created_by");
  }

  public String updatedAt() {
    return text("updated_at");
  }

  public long seq() {
    return number("seq");
  }

  /** Only in the answer to a registration. */
  public List<SchemaProblem> warnings() {
    return list("warnings", SchemaProblem::new);
  }

  /** A JSON text for formats written in JSON, the schema's text for Protobuf. */
  public String content() {
    return node.path("content").isTextual() ? text("content") : json("content");
  }
}
