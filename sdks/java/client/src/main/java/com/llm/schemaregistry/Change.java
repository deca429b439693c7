package com.llm.schemaregistry;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What an update changes. Attributes that are not set are unchanged. */
public final class Change {
  final Map<String, Object> members = new LinkedHashMap<>();
  String ifMatch;

  /** Changes nothing until something is set. */
  public Change() {}

  public Change description(String description) {
    return set("description", description);
  }

  public Change clearDescription() {
    return set("description", null);
  }

  public Change tags(List<String> tags) {
    return set("tags", List.copyOf(tags));
  }

  public Change owner(String owner) {
    return set("owner", owner);
  }

  public Change clearOwner() {
    return set("owner", null);
  }

  public Change metadata(Map<String, ?> metadata) {
    return set("metadata", Map.copyOf(metadata));
  }

  public Change role(String role) {
    return set("role", role);
  }

  public Change clearRole() {
    return set("role", null);
  }

  /** active, deprecated or archived. */
  public Change state(String state) {
    return set("state", state);
  }

  /** Why the state changes; kept in the log. */
  public Change reason(String reason) {
    return set("reason", reason);
  }

  /** Applies only to the state with this ETag. */
  public Change ifMatch(String etag) {
    this.ifMatch = etag;
    return this;
  }

  private Change set(String member, Object value) {
    members.put(member, value);
    return this;
  }
}
