package com.llm.schemaregistry.errors;

/** There is no such thing, or the key may not see it. */
public final class NotFoundException extends ApiException {
  private static final long serialVersionUID = 1L;

  NotFoundException(Refusal refusal) {
    super(refusal);
  }
}
