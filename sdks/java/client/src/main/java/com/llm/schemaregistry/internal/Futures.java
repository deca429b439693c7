package com.llm.schemaregistry.internal;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/** Dependent futures whose cancellation reaches what they depend on, which those of the JDK do not do. */
public final class Futures {
  private Futures() {}

  public static <T, R> CompletableFuture<R> map(CompletableFuture<T> source, Function<T, R> change) {
    CompletableFuture<R> result = source.thenApply(change);
    result.whenComplete(
        (value, error) -> {
          if (result.isCancelled()) {
            source.cancel(true);
          }
        });
    return result;
  }

  public static <T, R> CompletableFuture<R> flatMap(CompletableFuture<T> source, Function<T, CompletableFuture<R>> next) {
    AtomicReference<CompletableFuture<R>> inner = new AtomicReference<>();
    CompletableFuture<R> result =
        source.thenCompose(
            value -> {
              inner.set(next.apply(value));
              return inner.get();
            });
    result.whenComplete(
        (value, error) -> {
          if (result.isCancelled()) {
            source.cancel(true);
            CompletableFuture<R> begun = inner.get();
            if (begun != null) {
              begun.cancel(true);
            }
          }
        });
    return result;
  }
}
