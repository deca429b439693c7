package com.llm.schemaregistry.errors;

/** The connection failed, or an attempt timed out. */
public final class ConnectionLostException extends RegistryException {
  private static final long serialVersionUID = 1L;
  private final boolean mayHaveBeenSent;

  public ConnectionLostException(boolean mayHaveBeenSent, int attempts, Throwable cause) {
    super("connection_lost", "The registry did not answer, or the connection to it failed.", attempts, cause);
    this.mayHaveBeenSent = mayHaveBeenSent;
  }

  /** False only if no connection was made. */
  public boolean mayHaveBeenSent() {
    return mayHaveBeenSent;
  }
}
