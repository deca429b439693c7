package com.llm.schemaregistry.errors;

/** The answer violates the contract: a redirect, or a body that cannot be read. */
public final class BadAnswerException extends RegistryException {
  private static final long serialVersionUID = 1L;
  private final int status;

  public BadAnswerException(int status, String message, int attempts, Throwable cause) {
    super("bad_answer", message, attempts, cause);
    this.status = status;
  }

  public int status() {
    return status;
  }
}
