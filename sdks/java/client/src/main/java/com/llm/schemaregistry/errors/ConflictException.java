package com.llm.schemaregistry.errors;

/** The registry's state does not allow it. */
public final class ConflictException extends ApiException {
  private static final long serialVersionUID = 1L;

  ConflictException(Refusal refusal) {
    super(refusal);
  }
}
