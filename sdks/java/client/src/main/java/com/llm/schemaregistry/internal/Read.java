package com.llm.schemaregistry.internal;

import java.net.http.HttpHeaders;
import java.time.Duration;
import java.util.function.Function;

/** A read through the cache. */
public final class Read {
  final String key;
  final Operation operation;
  final boolean content;
  final Function<HttpHeaders, Duration> lifetime;
  final Function<String, ?> parse;
  final Function<Object, String> subject;

  /** The key is the JSON text of an array, so that no two names collide; content is changed by a hard delete alone. */
  public Read(
      String key,
      Operation operation,
      boolean content,
      Function<HttpHeaders, Duration> lifetime,
      Function<String, ?> parse,
      Function<Object, String> subject) {
    this.key = key;
    this.operation = operation;
    this.content = content;
    this.lifetime = lifetime;
    this.parse = parse;
    this.subject = subject;
  }

  public Operation operation() {
    return operation;
  }
}
