package com.llm.schemaregistry.internal;

/** A value and where it came from: network, cache, revalidated or stale. */
public final class ReadAnswer {
  public final Object value;
  public final String source;
  public final boolean stale;
  public final int attempts;

  ReadAnswer(Object value, String source, boolean stale, int attempts) {
    this.value = value;
    this.source = source;
    this.stale = stale;
    this.attempts = attempts;
  }
}
