package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** A problem document (RFC 9457). */
public final class Problem extends Document {
  Problem(JsonNode node) {
    super(node);
  }

  public static Problem ofJson(String json) {
    return new Problem(parse(json));
  }

  public String code() {
    return text("code");
  }

  public String title() {
    return text("title");
  }

  public List<ErrorPlace> errors() {
    return list("errors", ErrorPlace::new);
  }

  public String detail() {
    String detail = text("detail");
    return detail == null ? code() : detail;
  }

  /** Present on incompatible_schema. */
  public Verdict verdict() {
    return new Verdict(node.path("verdict"));
  }
}
