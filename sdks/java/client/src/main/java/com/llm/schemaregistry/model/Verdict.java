package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** The answer to a compatibility check, and the reason of a refused registration. */
public final class Verdict extends Document {
  Verdict(JsonNode node) {
    super(node);
  }

  public static Verdict ofJson(String json) {
    return new Verdict(parse(json));
  }

  public boolean compatible() {
    return flag("compatible");
  }

  public String level() {
    return text("level");
  }

  public String policy() {
    return text("policy");
  }

  public List<Difference> differences() {
    return list("differences", Difference::new);
  }

  public String suggestedVersion() {
    return text("suggested_version");
  }
}
