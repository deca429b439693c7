package com.llm.schemaregistry.errors;

/** The schema exceeds a limit on depth, size or work. */
public final class TooComplexException extends ApiException {
  private static final long serialVersionUID = 1L;

  TooComplexException(Refusal refusal) {
    super(refusal);
  }
}
