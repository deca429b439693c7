package com.llm.schemaregistry;

import java.time.Duration;

/** What the metrics hook receives: once for each attempt and once for each call. */
public final class ClientEvent {
  private final String kind;
  private final String operation;
  private final int attempt;
  private final int status;
  private final String code;
  private final Duration duration;
  private final Duration pause;
  private final String source;
  private final String breaker;

  public ClientEvent(String kind, String operation, int attempt, int status, String code, Duration duration, Duration pause, String source, String breaker) {
    this.kind = kind;
    this.operation = operation;
    this.attempt = attempt;
    this.status = status;
    this.code = code;
    this.duration = duration;
    this.pause = pause;
    this.source = source;
    this.breaker = breaker;
  }

  /** "attempt" or "call". */
  public String kind() {
    return kind;
  }

  public String operation() {
    return operation;
  }

  /** Counted from 1; for a call, the number of attempts. */
  public int attempt() {
    return attempt;
  }

  /** 0 if there was no answer. */
  public int status() {
    return status;
  }

  /** The error's code; null if it succeeded. */
  public String code() {
    return code;
  }

  public Duration duration() {
    return duration;
  }

  /** The wait before the next attempt. */
  public Duration pause() {
    return pause;
  }

  /** network, cache, revalidated or stale. */
  public String source() {
    return source;
  }

  public String breaker() {
    return breaker;
  }
}
