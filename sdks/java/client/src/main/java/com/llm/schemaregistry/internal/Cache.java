package com.llm.schemaregistry.internal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A bounded cache of answers that evicts the least recently used first. */
public final class Cache {
  /** A kept answer. Its value is never changed; the rest is changed under the cache's lock. */
  public static final class Entry {
    final Object value;
    final String etag;
    final long size;
    /** The qualified subject whose changes remove it. */
    final String subject;

    Token token;
    long storedAt;
    long lifetimeNanos;
    /** No attempt is made before this moment; the stale entry is served until then. */
    long staleUntil;

    Entry(Object value, String etag, Token token, long storedAt, long lifetimeNanos, long size, String subject) {
      this.value = value;
      this.etag = etag;
      this.token = token;
      this.storedAt = storedAt;
      this.lifetimeNanos = lifetimeNanos;
      this.size = size;
      this.subject = subject;
      this.staleUntil = storedAt;
    }
  }

  private final LinkedHashMap<String, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
  private final Map<String, Integer> counts = new HashMap<>();
  private final int maxEntries;
  private final long maxBytes;
  private long bytes;
  private int generation;

  public Cache(int maxEntries, long maxBytes) {
    this.maxEntries = maxEntries;
    this.maxBytes = maxBytes;
  }

  synchronized Entry read(String key) {
    return entries.get(key);
  }

  /** What is kept under a key, however old; null where nothing is. */
  public synchronized Object value(String key) {
    Entry entry = entries.get(key);
    return entry == null ? null : entry.value;
  }

  /** Keeps an entry, unless something was written or cleared since {@code began}, or an entry of a newer state is kept already. */
  synchronized void store(String key, Entry entry, int began) {
    Entry held = entries.get(key);
    if (began != generation || (held != null && Token.isBefore(entry.token, held.token))) {
      return;
    }
    remove(key);
    if (entry.size > maxBytes || maxEntries < 1) {
      return;
    }
    entries.put(key, entry);
    bytes += entry.size;
    while (entries.size() > maxEntries || bytes > maxBytes) {
      remove(entries.keySet().iterator().next());
    }
  }

  synchronized void update(Runnable change) {
    change.run();
  }

  public synchronized void remove(String key) {
    Entry entry = entries.remove(key);
    if (entry != null) {
      bytes -= entry.size;
    }
  }

  /** Removes a subject's records, numbers and heads. Content is kept, because it never changes. */
  public synchronized void forgetSubject(String subject) {
    generation++;
    List<String> keys = new ArrayList<>();
    entries.forEach(
        (key, entry) -> {
          if (subject.equals(entry.subject)) {
            keys.add(key);
          }
        });
    keys.forEach(this::remove);
  }

  public synchronized void clear() {
    generation++;
    entries.clear();
    bytes = 0;
  }

  synchronized int generation() {
    return generation;
  }

  synchronized void count(String what) {
    counts.merge(what, 1, Integer::sum);
  }

  /** hits, misses, revalidated, stale, entries and bytes. */
  public synchronized Map<String, Long> stats() {
    Map<String, Long> stats = new HashMap<>();
    for (String what : List.of("hits", "misses", "revalidated", "stale")) {
      stats.put(what, (long) counts.getOrDefault(what, 0));
    }
    stats.put("entries", (long) entries.size());
    stats.put("bytes", bytes);
    return stats;
  }
}
