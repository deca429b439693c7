package com.llm.schemaregistry.errors;

/** The key is missing or not valid. */
public final class UnauthorizedException extends ApiException {
  private static final long serialVersionUID = 1L;

  UnauthorizedException(Refusal refusal) {
    super(refusal);
  }
}
