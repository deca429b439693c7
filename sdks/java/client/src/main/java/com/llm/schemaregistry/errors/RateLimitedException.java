package com.llm.schemaregistry.errors;

/** Too many requests; {@link #retryAfter()} says when to try. */
public final class RateLimitedException extends ApiException {
  private static final long serialVersionUID = 1L;

  RateLimitedException(Refusal refusal) {
    super(refusal);
  }
}
