package com.llm.schemaregistry;

/** What is listed. */
public final class ListRequest {
  final String prefix;

  private ListRequest(String prefix) {
    this.prefix = prefix;
  }

  public static ListRequest all() {
    return new ListRequest(null);
  }

  /** What begins so. */
  public static ListRequest prefix(String prefix) {
    return new ListRequest(prefix);
  }
}
