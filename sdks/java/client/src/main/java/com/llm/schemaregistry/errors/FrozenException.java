package com.llm.schemaregistry.errors;

/** Changes are frozen at this time. */
public final class FrozenException extends ApiException {
  private static final long serialVersionUID = 1L;

  FrozenException(Refusal refusal) {
    super(refusal);
  }
}
