package com.llm.schemaregistry.errors;

/** A fault of the registry. */
public final class ServerErrorException extends ApiException {
  private static final long serialVersionUID = 1L;

  ServerErrorException(Refusal refusal) {
    super(refusal);
  }
}
