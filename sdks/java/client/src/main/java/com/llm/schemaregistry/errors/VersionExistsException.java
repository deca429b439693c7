package com.llm.schemaregistry.errors;

/** The semantic version is taken by other content. */
public final class VersionExistsException extends ApiException {
  private static final long serialVersionUID = 1L;

  VersionExistsException(Refusal refusal) {
    super(refusal);
  }
}
