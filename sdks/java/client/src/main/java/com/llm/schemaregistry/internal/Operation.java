package com.llm.schemaregistry.internal;

import java.util.LinkedHashMap;
import java.util.Map;

/** The request that a method makes. */
public final class Operation {
  /**
   * Which token is sent. Search sends none, because its index lags, or that of the client's own writes if the caller
   * asks for consistency.
   */
  public enum TokenUse {
    SEEN,
    NONE,
    WROTE
  }

  final String name;
  final String method;
  final String path;
  final Map<String, String> query = new LinkedHashMap<>();
  final Map<String, String> headers = new LinkedHashMap<>();
  byte[] body;
  boolean takesKey;
  boolean writes;
  String idempotencyKey;
  TokenUse token = TokenUse.SEEN;

  /** The name is that of the OpenAPI document; the path is below /api/v1, its parts percent-encoded. */
  public Operation(String name, String method, String path) {
    this.name = name;
    this.method = method;
    this.path = path;
  }

  public Operation query(String parameter, String value) {
    if (value != null) {
      query.put(parameter, value);
    }
    return this;
  }

  public Operation header(String header, String value) {
    if (value != null) {
      headers.put(header, value);
    }
    return this;
  }

  public Operation json(byte[] json) {
    this.body = json;
    return this;
  }

  /** It changes something, and a repetition under the same key does not change it twice. */
  public Operation writesOnce(String key) {
    this.takesKey = true;
    this.writes = true;
    this.idempotencyKey = key;
    return this;
  }

  public Operation token(TokenUse use) {
    this.token = use;
    return this;
  }

  public String name() {
    return name;
  }
}
