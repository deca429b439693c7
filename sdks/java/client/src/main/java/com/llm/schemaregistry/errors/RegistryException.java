package com.llm.schemaregistry.errors;

/** The base of everything the client throws. */
public class RegistryException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final String code;
  private final int attempts;

  public RegistryException(String code, String message, int attempts, Throwable cause) {
    super(message, cause);
    this.code = code;
    this.attempts = attempts;
  }

  /** The problem's code, or connection_lost, deadline_exceeded, circuit_open, bad_answer or configuration_error. */
  public String code() {
    return code;
  }

  /** Attempts that were made. */
  public int attempts() {
    return attempts;
  }
}
