package com.llm.schemaregistry.errors;

import java.time.Duration;

/** The registry has not answered lately, so no connection was tried. */
public final class CircuitOpenException extends RegistryException {
  private static final long serialVersionUID = 1L;
  private final Duration retryAfter;

  public CircuitOpenException(Duration retryAfter, int attempts) {
    super("circuit_open", "The registry did not answer; the next attempt is made in " + retryAfter.toMillis() + " ms.", attempts, null);
    this.retryAfter = retryAfter;
  }

  public Duration retryAfter() {
    return retryAfter;
  }
}
