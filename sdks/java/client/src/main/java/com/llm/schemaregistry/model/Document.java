package com.llm.schemaregistry.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** A view of an answer's JSON. Members that this version does not know are kept: {@link #json(String)} and {@link #toJson()} show them. */
public abstract class Document {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  final JsonNode node;

  Document(JsonNode node) {
    this.node = node;
  }

  static JsonNode parse(String json) {
    try {
      return MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("The text is not JSON.", e);
    }
  }

  /** The whole document as JSON text. */
  public final String toJson() {
    return node.toString();
  }

  /** One member as JSON text; null where it is absent. */
  public final String json(String member) {
    JsonNode value = node.get(member);
    return value == null ? null : value.toString();
  }

  /** One member as maps, lists, strings, numbers and booleans. */
  public final Object value(String member) {
    JsonNode value = node.get(member);
    return value == null ? null : MAPPER.convertValue(value, Object.class);
  }

  final String text(String member) {
    JsonNode value = node.get(member);
    return value == null || value.isNull() ? null : value.asText();
  }

  final long number(String member) {
    return node.path(member).asLong();
  }

  final boolean flag(String member) {
    return node.path(member).asBoolean();
  }

  final <T> List<T> list(String member, Function<JsonNode, T> read) {
    List<T> items = new ArrayList<>();
    for (JsonNode item : node.path(member)) {
      items.add(read.apply(item));
    }
    return List.copyOf(items);
  }

  @Override
  public final String toString() {
    return getClass().getSimpleName() + toJson();
  }
}
