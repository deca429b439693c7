package com.llm.schemaregistry;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;

/** A clock whose waits pass at once and are counted. */
final class FakeClock implements Clock {
  final List<Long> slept = Collections.synchronizedList(new ArrayList<>());
  volatile Runnable onSleep;
  private final AtomicLong now = new AtomicLong();
  private final long wallMs;

  FakeClock(long wallMs) {
    this.wallMs = wallMs;
  }

  @Override
  public long monotonicNanos() {
    return now.get();
  }

  @Override
  public Instant wall() {
    return Instant.ofEpochMilli(wallMs).plusNanos(now.get());
  }

  @Override
  public CompletionStage<Void> sleep(Duration wait) {
    Runnable cancel = onSleep;
    if (cancel != null) {
      cancel.run();
      return new CompletableFuture<>();
    }
    slept.add(wait.toMillis());
    now.addAndGet(wait.toNanos());
    return CompletableFuture.completedFuture(null);
  }

  void advance(long ms) {
    now.addAndGet(Duration.ofMillis(ms).toNanos());
  }
}
