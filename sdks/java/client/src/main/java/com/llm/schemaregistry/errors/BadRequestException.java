package com.llm.schemaregistry.errors;

/** The request cannot be read; the problem names the places. */
public final class BadRequestException extends ApiException {
  private static final long serialVersionUID = 1L;

  BadRequestException(Refusal refusal) {
    super(refusal);
  }
}
