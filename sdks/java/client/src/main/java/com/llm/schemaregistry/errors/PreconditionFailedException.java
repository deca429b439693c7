package com.llm.schemaregistry.errors;

/** The change was meant for an older state. */
public final class PreconditionFailedException extends ApiException {
  private static final long serialVersionUID = 1L;

  PreconditionFailedException(Refusal refusal) {
    super(refusal);
  }
}
