package com.llm.schemaregistry.errors;

/** The subject is protected: the change needs an approved proposal. */
public final class ProtectedException extends ApiException {
  private static final long serialVersionUID = 1L;

  ProtectedException(Refusal refusal) {
    super(refusal);
  }
}
