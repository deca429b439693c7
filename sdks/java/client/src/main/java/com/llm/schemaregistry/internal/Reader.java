package com.llm.schemaregistry.internal;

import com.llm.schemaregistry.errors.ApiException;
import com.llm.schemaregistry.errors.BadAnswerException;
import com.llm.schemaregistry.errors.CircuitOpenException;
import com.llm.schemaregistry.errors.ConnectionLostException;
import com.llm.schemaregistry.errors.DeadlineExceededException;
import java.net.http.HttpHeaders;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads through the cache: fresh, revalidated, from the network, or stale while the registry is away. */
public final class Reader {
  private static final Pattern MAX_AGE = Pattern.compile("(?:^|[\\s,])max-age=([0-9]{1,9})");

  private final Settings settings;
  private final Cache cache;
  private final long staleNanos;
  private final Map<String, Flight> flights = new HashMap<>();
  private long warnedAt;
  private boolean hasWarned;

  private static final class Flight {
    CompletableFuture<ReadAnswer> work;
    int waiting;
  }

  public Reader(Settings settings, Cache cache, Duration staleLifetime) {
    this.settings = settings;
    this.cache = cache;
    this.staleNanos = staleLifetime.toNanos();
  }

  /** What the answer's max-age says, at most an hour. */
  public static Duration contentLifetime(HttpHeaders headers) {
    Matcher found = MAX_AGE.matcher(headers.firstValue("Cache-Control").orElse(""));
    if (!found.find()) {
      return Limits.CONTENT_LIFETIME;
    }
    Duration lifetime = Duration.ofSeconds(Long.parseLong(found.group(1)));
    return lifetime.compareTo(Limits.CONTENT_LIFETIME) < 0 ? lifetime : Limits.CONTENT_LIFETIME;
  }

  public CompletableFuture<Answer> call(Operation operation) {
    return Call.run(settings, operation, null, false);
  }

  public CompletableFuture<ReadAnswer> read(Read read, Token minToken) {
    Token required = Token.newest(settings.tokens.wrote(), minToken);
    Cache.Entry entry = cache.read(read.key);
    long now = settings.clock.monotonicNanos();
    boolean hasStandIn = false;
    if (entry != null && Token.reaches(entry.token, required, read.content)) {
      long age = now - entry.storedAt;
      if (age < entry.lifetimeNanos) {
        cache.count("hits");
        return CompletableFuture.completedFuture(new ReadAnswer(entry.value, "cache", false, 0));
      }
      hasStandIn = age <= staleNanos;
      if (hasStandIn && now - entry.staleUntil < 0) {
        return CompletableFuture.completedFuture(giveStale(entry));
      }
    }
    return join(required == null ? read.key : read.key + " " + required.text(), read, minToken, entry, hasStandIn);
  }

  /**
   * Merges concurrent reads of one key. Each caller has its own future, and the work stops when the last of them has
   * cancelled.
   */
  private CompletableFuture<ReadAnswer> join(String key, Read read, Token minToken, Cache.Entry entry, boolean hasStandIn) {
    CompletableFuture<ReadAnswer> mine = new CompletableFuture<>();
    Flight flight;
    boolean leads;
    synchronized (flights) {
      flight = flights.get(key);
      leads = flight == null;
      if (leads) {
        flight = new Flight();
        flight.work = new CompletableFuture<>();
        flights.put(key, flight);
      }
      flight.waiting++;
    }
    Flight joined = flight;
    joined.work.whenComplete(
        (answer, error) -> {
          if (error == null) {
            mine.complete(answer);
          } else {
            mine.completeExceptionally(error);
          }
        });
    mine.whenComplete((answer, error) -> leave(key, joined));
    if (leads) {
      ask(key, read, minToken, entry, hasStandIn, joined);
    }
    return mine;
  }

  private void leave(String key, Flight flight) {
    boolean isLast;
    synchronized (flights) {
      flight.waiting--;
      isLast = flight.waiting == 0 || flight.work.isDone();
      if (isLast) {
        flights.remove(key, flight);
      }
    }
    if (isLast) {
      flight.work.cancel(true);
    }
  }

  private void ask(String key, Read read, Token minToken, Cache.Entry entry, boolean hasStandIn, Flight flight) {
    int began = cache.generation();
    Operation operation = read.operation;
    if (entry != null) {
      operation.header("If-None-Match", entry.etag);
    }
    CompletableFuture<Answer> call = Call.run(settings, operation, minToken, hasStandIn);
    flight.work.whenComplete(
        (answer, error) -> {
          if (flight.work.isCancelled()) {
            call.cancel(true);
          }
        });
    call.whenComplete(
        (answer, error) -> {
          // Removed first: a caller that sees the outcome and asks again must not join a flight that has ended.
          synchronized (flights) {
            flights.remove(key, flight);
          }
          try {
            flight.work.complete(error == null ? keep(read, entry, answer, began) : standIn(read, entry, hasStandIn, error));
          } catch (RuntimeException e) {
            flight.work.completeExceptionally(e);
          }
        });
  }

  private ReadAnswer keep(Read read, Cache.Entry entry, Answer answer, int began) {
    boolean isStale = "true".equals(answer.header("X-Registry-Stale"));
    if (answer.status == 304 && entry != null) {
      cache.count("revalidated");
      cache.update(
          () -> {
            entry.token = Token.newest(entry.token, answer.token);
            if (!isStale) {
              entry.storedAt = settings.clock.monotonicNanos();
              entry.lifetimeNanos = read.lifetime.apply(answer.headers).toNanos();
              entry.staleUntil = entry.storedAt;
            }
          });
      return new ReadAnswer(entry.value, "revalidated", isStale, answer.attempts);
    }
    cache.count("misses");
    Object value;
    try {
      value = read.parse.apply(answer.text);
    } catch (IllegalArgumentException e) {
      throw new BadAnswerException(answer.status, "The answer's body is not JSON.", answer.attempts, e);
    }
    if (!isStale) {
      store(read.key, value, read.subject.apply(value), answer, read.lifetime.apply(answer.headers), began);
    }
    return new ReadAnswer(value, "network", isStale, answer.attempts);
  }

  /** Stores the answer of a write, as a read would. */
  public void keepWritten(String key, Object value, String subject, Answer answer) {
    store(key, value, subject, answer, Limits.RECORD_LIFETIME, cache.generation());
  }

  private void store(String key, Object value, String subject, Answer answer, Duration lifetime, int began) {
    cache.store(key, new Cache.Entry(value, answer.header("ETag"), answer.token, settings.clock.monotonicNanos(), lifetime.toNanos(), answer.text.length(), subject), began);
  }

  private ReadAnswer standIn(Read read, Cache.Entry entry, boolean hasStandIn, Throwable error) {
    Throwable cause = error instanceof CompletionException ? error.getCause() : error;
    if (cause instanceof ApiException) {
      int status = ((ApiException) cause).status();
      if (status == 404 || status == 403) {
        cache.remove(read.key);
      }
    }
    if (!hasStandIn || !isRegistryAway(cause)) {
      throw cause instanceof RuntimeException ? (RuntimeException) cause : new CompletionException(cause);
    }
    cache.update(() -> entry.staleUntil = settings.clock.monotonicNanos() + Limits.STALE_RETRY.toNanos());
    return giveStale(entry);
  }

  private static boolean isRegistryAway(Throwable error) {
    if (error instanceof ApiException) {
      int status = ((ApiException) error).status();
      return status >= 502 && status <= 504;
    }
    return error instanceof ConnectionLostException || error instanceof DeadlineExceededException || error instanceof CircuitOpenException;
  }

  private ReadAnswer giveStale(Cache.Entry entry) {
    cache.count("stale");
    long now = settings.clock.monotonicNanos();
    synchronized (flights) {
      if (!hasWarned || now - warnedAt >= Limits.STALE_WARNING_INTERVAL.toNanos()) {
        hasWarned = true;
        warnedAt = now;
        settings.debug.accept("The registry cannot be reached; answers come from expired cache entries.");
      }
    }
    return new ReadAnswer(entry.value, "stale", true, 0);
  }
}
