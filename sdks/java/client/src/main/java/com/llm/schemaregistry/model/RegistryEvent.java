package com.llm.schemaregistry.model;

import com.fasterxml.jackson.databind.JsonNode;

/** One change of the registry: a CloudEvent with the log's seq. */
public final class RegistryEvent extends Document {
  RegistryEvent(JsonNode node) {
    super(node);
  }

  public static RegistryEvent ofJson(String json) {
    RegistryEvent event = new RegistryEvent(parse(json));
    if (!event.node.path("data").path("seq").canConvertToExactIntegral()) {
      throw new IllegalArgumentException("The event has no seq.");
    }
    return event;
  }

  public String id() {
    return text("id");
  }

  public String type() {
    return text("type");
  }

  public String subject() {
    return text("subject");
  }

  public String time() {
    return text("time");
  }

  /** The position to store once the event is handled, and to pass as after next time. */
  public long seq() {
    return node.path("data").path("seq").asLong();
  }
}
