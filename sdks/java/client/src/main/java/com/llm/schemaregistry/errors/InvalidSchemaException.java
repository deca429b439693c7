package com.llm.schemaregistry.errors;

/** The schema breaks a rule of its format; the problem names the places. */
public final class InvalidSchemaException extends ApiException {
  private static final long serialVersionUID = 1L;

  InvalidSchemaException(Refusal refusal) {
    super(refusal);
  }
}
