package com.llm.schemaregistry;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** The client's only source of time. Tests replace it. */
public interface Clock {
  /** Nanoseconds from an arbitrary start that never go back. */
  long monotonicNanos();

  Instant wall();

  /** Ends after a wait before another attempt. */
  CompletionStage<Void> sleep(Duration wait);

  static Clock system() {
    return new Clock() {
      @Override
      public long monotonicNanos() {
        return System.nanoTime();
      }

      @Override
      public Instant wall() {
        return Instant.now();
      }

      @Override
      public CompletionStage<Void> sleep(Duration wait) {
        return new CompletableFuture<Void>().completeOnTimeout(null, wait.toNanos(), TimeUnit.NANOSECONDS);
      }
    };
  }
}
