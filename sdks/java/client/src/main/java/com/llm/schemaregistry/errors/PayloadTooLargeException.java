package com.llm.schemaregistry.errors;

/** The request is too large. */
public final class PayloadTooLargeException extends ApiException {
  private static final long serialVersionUID = 1L;

  PayloadTooLargeException(Refusal refusal) {
    super(refusal);
  }
}
