package com.llm.schemaregistry.internal;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A state of the registry: {@code <epoch>.<seq>.<seq of the last hard delete>}. */
public final class Token {
  private static final Pattern PATTERN = Pattern.compile("([0-9]{1,15})\\.([0-9]{1,15})\\.([0-9]{1,15})");
  private final long epoch;
  private final long seq;
  private final long hardDeleteSeq;
  private final String text;

  private Token(long epoch, long seq, long hardDeleteSeq, String text) {
    this.epoch = epoch;
    this.seq = seq;
    this.hardDeleteSeq = hardDeleteSeq;
    this.text = text;
  }

  /** Null for text that is not a token. */
  public static Token parse(String text) {
    Matcher found = PATTERN.matcher(text == null ? "" : text);
    if (!found.matches()) {
      return null;
    }
    Token token = new Token(Long.parseLong(found.group(1)), Long.parseLong(found.group(2)), Long.parseLong(found.group(3)), text);
    return token.hardDeleteSeq <= token.seq ? token : null;
  }

  /** Keeps one of them whole; parts of two tokens are never combined. */
  public static Token newest(Token held, Token incoming) {
    if (held == null || incoming == null) {
      return held == null ? incoming : held;
    }
    int order = compareStates(held, incoming);
    if (order != 0) {
      return order > 0 ? held : incoming;
    }
    return incoming.hardDeleteSeq < held.hardDeleteSeq ? incoming : held;
  }

  /** Whether a token is of an earlier state than another; a missing one says nothing. */
  static boolean isBefore(Token token, Token other) {
    return token != null && other != null && compareStates(token, other) < 0;
  }

  private static int compareStates(Token a, Token b) {
    return a.epoch != b.epoch ? Long.compare(a.epoch, b.epoch) : Long.compare(a.seq, b.seq);
  }

  /** Whether a value read at {@code held} satisfies what {@code required} asks. Content changes by a hard delete alone. */
  static boolean reaches(Token held, Token required, boolean content) {
    if (required == null) {
      return true;
    }
    if (held == null) {
      return false;
    }
    if (held.epoch != required.epoch) {
      return held.epoch > required.epoch;
    }
    return held.seq >= (content ? required.hardDeleteSeq : required.seq);
  }

  public String text() {
    return text;
  }
}
