package com.llm.schemaregistry.errors;

import com.llm.schemaregistry.model.Problem;
import com.llm.schemaregistry.model.Verdict;

/** A registration that would break readers or writers. */
public final class IncompatibleSchemaException extends ApiException {
  private static final long serialVersionUID = 1L;

  IncompatibleSchemaException(Refusal refusal) {
    super(refusal);
  }

  /** What it would break, with data that shows it. */
  public Verdict verdict() {
    return problem().map(Problem::verdict).orElseThrow();
  }
}
