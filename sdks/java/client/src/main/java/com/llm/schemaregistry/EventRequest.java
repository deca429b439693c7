package com.llm.schemaregistry;

import java.util.List;

/** Which events are read. */
public final class EventRequest {
  Long after;
  List<String> subjects = List.of();
  List<String> types = List.of();

  private EventRequest() {}

  /** Only new events. */
  public static EventRequest fromNow() {
    return new EventRequest();
  }

  /** Events after a position; 0 is the whole log. */
  public static EventRequest after(long seq) {
    EventRequest request = new EventRequest();
    request.after = seq;
    return request;
  }

  /** Globs over qualified subject names. */
  public EventRequest subjects(String... globs) {
    this.subjects = List.of(globs);
    return this;
  }

  /** Such as schema.registered or schema.*. */
  public EventRequest types(String... names) {
    this.types = List.of(names);
    return this;
  }
}
