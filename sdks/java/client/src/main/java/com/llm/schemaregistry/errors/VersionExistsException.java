package com.llm.schemaregistry.errors;

/** Other content already has the semantic version. */
public final class VersionExistsException extends ApiException {
  private static final long serialVersionUID = 1L;

  VersionExistsException(Refusal refusal) {
    super(refusal);
  }
}
