package com.llm.schemaregistry.errors;

/** The registry has no room for another schema. */
public final class StorageFullException extends ApiException {
  private static final long serialVersionUID = 1L;

  StorageFullException(Refusal refusal) {
    super(refusal);
  }
}
