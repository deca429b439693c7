package com.llm.schemaregistry.internal;

/** The two tokens of a client, shared by its copies. */
public final class Tokens {
  private Token seen;
  private Token wrote;
  private int unreadable;

  /** The newest of all answers; sent with every read and registration. */
  public synchronized Token seen() {
    return seen;
  }

  /** The newest of the client's own writes; cached values must reach it. */
  public synchronized Token wrote() {
    return wrote;
  }

  /** Answers whose token could not be read. */
  public synchronized int unreadable() {
    return unreadable;
  }

  synchronized Token learn(String text, boolean write) {
    if (text == null) {
      return null;
    }
    Token token = Token.parse(text);
    if (token == null) {
      unreadable++;
      return null;
    }
    seen = Token.newest(seen, token);
    if (write) {
      wrote = Token.newest(wrote, token);
    }
    return token;
  }
}
