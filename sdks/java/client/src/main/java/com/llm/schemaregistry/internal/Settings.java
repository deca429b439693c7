package com.llm.schemaregistry.internal;

import com.llm.schemaregistry.ClientEvent;
import com.llm.schemaregistry.Clock;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;

/** What calls need. */
public final class Settings {
  public final String baseUrl;
  public final Map<String, String> headers;
  final Duration timeout;
  public final Duration attemptTimeout;
  final int maxAttempts;
  public final HttpClient http;
  public final Executor executor;
  public final Clock clock;
  public final DoubleSupplier random;
  public final Tokens tokens;
  public final Breaker breaker;
  final Consumer<ClientEvent> emit;
  final Consumer<String> debug;

  public Settings(
      String baseUrl,
      Map<String, String> headers,
      Duration timeout,
      Duration attemptTimeout,
      int maxAttempts,
      HttpClient http,
      Executor executor,
      Clock clock,
      DoubleSupplier random,
      Tokens tokens,
      Breaker breaker,
      Consumer<ClientEvent> emit,
      Consumer<String> debug) {
    this.baseUrl = baseUrl;
    this.headers = headers;
    this.timeout = timeout;
    this.attemptTimeout = attemptTimeout;
    this.maxAttempts = maxAttempts;
    this.http = http;
    this.executor = executor;
    this.clock = clock;
    this.random = random;
    this.tokens = tokens;
    this.breaker = breaker;
    this.emit = emit;
    this.debug = debug;
  }
}
