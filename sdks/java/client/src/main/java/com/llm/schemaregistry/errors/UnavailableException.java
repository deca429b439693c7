package com.llm.schemaregistry.errors;

/** The registry is busy, not ready, or away. */
public final class UnavailableException extends ApiException {
  private static final long serialVersionUID = 1L;

  UnavailableException(Refusal refusal) {
    super(refusal);
  }
}
