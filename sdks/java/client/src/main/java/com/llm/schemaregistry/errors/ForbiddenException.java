package com.llm.schemaregistry.errors;

/** The key may not do this. */
public final class ForbiddenException extends ApiException {
  private static final long serialVersionUID = 1L;

  ForbiddenException(Refusal refusal) {
    super(refusal);
  }
}
