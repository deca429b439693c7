package com.llm.schemaregistry.errors;

import java.time.Duration;

/** The call did not end within its time. */
public final class DeadlineExceededException extends RegistryException {
  private static final long serialVersionUID = 1L;

  public DeadlineExceededException(Duration timeout, int attempts) {
    super("deadline_exceeded", "The call did not end within " + timeout.toMillis() + " ms.", attempts, null);
  }
}
