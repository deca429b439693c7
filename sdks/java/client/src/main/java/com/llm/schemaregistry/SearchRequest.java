package com.llm.schemaregistry;

import java.util.LinkedHashMap;
import java.util.Map;

/** A search, with filters by name: format, state, tag, owner, subject_prefix, role, versions. */
public final class SearchRequest {
  final String query;
  final Map<String, String> filters = new LinkedHashMap<>();
  boolean consistent;

  private SearchRequest(String query) {
    this.query = query;
  }

  public static SearchRequest of(String query) {
    return new SearchRequest(query);
  }

  public SearchRequest filter(String name, String value) {
    filters.put(name, value);
    return this;
  }

  /** Waits for the search index to hold this client's own writes. */
  public SearchRequest consistent() {
    this.consistent = true;
    return this;
  }
}
