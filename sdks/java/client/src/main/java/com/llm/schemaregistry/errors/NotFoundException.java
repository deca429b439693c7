package com.llm.schemaregistry.errors;

/** It does not exist, or the key may not read it. */
public final class NotFoundException extends ApiException {
  private static final long serialVersionUID = 1L;

  NotFoundException(Refusal refusal) {
    super(refusal);
  }
}
