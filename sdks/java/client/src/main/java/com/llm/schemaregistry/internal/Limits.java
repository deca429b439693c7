package com.llm.schemaregistry.internal;

import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;

/**
 * The numeric constants of the client's behaviour. All SDKs share them; the vectors in contract/vectors/sdk test each
 * one.
 */
public final class Limits {
  /** For a whole call: attempts, waits and bodies. */
  public static final Duration CALL_TIMEOUT = Duration.ofSeconds(30);

  /** For one attempt. The registry answers or refuses within 10 seconds. */
  public static final Duration ATTEMPT_TIMEOUT = Duration.ofSeconds(12);

  public static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
  public static final int MAX_ATTEMPTS = 3;

  /** The longest wait after the first attempt; it doubles with each further one. */
  static final long FIRST_WAIT_MS = 500;

  static final long LONGEST_WAIT_MS = 8_000;
  public static final Duration CONTENT_LIFETIME = Duration.ofHours(1);
  public static final Duration RECORD_LIFETIME = Duration.ofMinutes(5);
  public static final Duration HEAD_LIFETIME = Duration.ofMinutes(1);
  public static final Duration LONGEST_HEAD_LIFETIME = Duration.ofMinutes(5);
  public static final int MAX_CACHE_ENTRIES = 1_000;
  public static final long MAX_CACHE_BYTES = 64L * 1024 * 1024;

  /** The maximum age of an expired entry that is served while the registry cannot be reached. */
  public static final Duration STALE_LIFETIME = Duration.ofHours(24);

  /** For the one attempt that is made while such an entry is available. */
  static final Duration STALE_ATTEMPT_TIMEOUT = Duration.ofSeconds(2);

  /** How long a stale entry is served before the next attempt. */
  static final Duration STALE_RETRY = Duration.ofSeconds(30);

  static final Duration STALE_WARNING_INTERVAL = Duration.ofMinutes(1);
  public static final int BREAKER_FAILURES = 5;
  public static final Duration BREAKER_OPEN = Duration.ofSeconds(30);

  /** Without a byte for this long an event stream counts as lost; the registry sends a comment every 15 seconds. */
  public static final Duration EVENT_IDLE = Duration.ofSeconds(45);

  public static final long LONGEST_EVENT_WAIT_MS = 30_000;
  public static final int MAX_APP_CHARACTERS = 64;
  public static final int MAX_USER_AGENT_CHARACTERS = 256;

  private Limits() {}

  /** Full jitter: random is drawn from [0, 1). */
  public static Duration jitter(int attempt, double random, long longestMs) {
    long bound = Math.min(longestMs, FIRST_WAIT_MS << Math.min(attempt - 1, 20));
    return Duration.ofMillis((long) (random * bound));
  }

  /** Seconds or a date; a time that has passed is zero, and null where neither was said. */
  public static Duration parseRetryAfter(String header, Instant now) {
    if (header == null) {
      return null;
    }
    String text = header.trim();
    if (text.matches("-?[0-9]{1,9}")) {
      return Duration.ofSeconds(Math.max(0, Long.parseLong(text)));
    }
    try {
      Duration wait = Duration.between(now, ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant());
      return wait.isNegative() ? Duration.ZERO : wait;
    } catch (DateTimeParseException e) {
      return null;
    }
  }
}
