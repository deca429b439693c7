package com.llm.schemaregistry.internal;

import java.time.Duration;

/** Stops asking a registry that does not answer. Counted in attempts. */
public final class Breaker {
  enum Outcome {
    ALIVE,
    FAILED,
    /** Cancelled or cut off early; it does not count. */
    SILENT
  }

  private final int failures;
  private final long openNanos;
  private String state = "closed";
  private int failed;
  private long openedAt;
  private int generation;
  private boolean trialRuns;

  public Breaker(int failures, Duration open) {
    this.failures = failures;
    this.openNanos = open.toNanos();
  }

  /** closed, open or half-open. */
  public synchronized String state() {
    return state;
  }

  /** The generation to report with; negative nanoseconds say how long attempts stay refused. */
  synchronized long admit(long now) {
    if (state.equals("open")) {
      long left = openedAt + openNanos - now;
      if (left > 0) {
        return -left;
      }
      enter("half-open");
    }
    if (state.equals("half-open")) {
      if (trialRuns) {
        return -openNanos;
      }
      trialRuns = true;
    }
    return generation;
  }

  /** Attempts that began before a change of state do not affect it. */
  synchronized void report(long admitted, Outcome outcome, long now) {
    if (admitted != generation) {
      return;
    }
    if (state.equals("half-open")) {
      trialRuns = false;
      if (outcome == Outcome.ALIVE) {
        enter("closed");
      } else if (outcome == Outcome.FAILED) {
        open(now);
      }
    } else if (outcome == Outcome.ALIVE) {
      failed = 0;
    } else if (outcome == Outcome.FAILED && ++failed >= failures) {
      open(now);
    }
  }

  private void open(long now) {
    openedAt = now;
    enter("open");
  }

  private void enter(String next) {
    state = next;
    failed = 0;
    trialRuns = false;
    generation++;
  }
}
