package com.llm.schemaregistry.spring;

import com.llm.schemaregistry.ClientOptions;
import com.llm.schemaregistry.SchemaRegistry;
import com.llm.schemaregistry.errors.RegistryException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Asks the registry whether it answers. */
final class RegistryHealth implements AutoCloseable {
  /** A registry that takes longer to answer counts as down. */
  private static final Duration TIMEOUT = Duration.ofSeconds(2);

  private final SchemaRegistry registry;
  private final boolean isOwn;

  private RegistryHealth(SchemaRegistry registry, boolean isOwn) {
    this.registry = registry;
    this.isOwn = isOwn;
  }

  /** Uses a separate client, so that failed checks never open the breaker of the application's calls. */
  static RegistryHealth at(ClientOptions options) {
    return new RegistryHealth(options.timeout(TIMEOUT).maxAttempts(1).breaker(Integer.MAX_VALUE, TIMEOUT).build(), true);
  }

  /** Uses the application's client, because only the application knows the address. */
  static RegistryHealth through(SchemaRegistry registry) {
    return new RegistryHealth(registry, false);
  }

  /** The error's code; empty if the registry answers. */
  Optional<String> failure() {
    CompletableFuture<?> call = registry.health();
    try {
      call.copy().orTimeout(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS).join();
      return Optional.empty();
    } catch (CompletionException failed) {
      if (failed.getCause() instanceof RegistryException refused) {
        return Optional.of(refused.code());
      }
      if (failed.getCause() instanceof TimeoutException) {
        return Optional.of("deadline_exceeded");
      }
      throw failed;
    } finally {
      call.cancel(true);
    }
  }

  @Override
  public void close() {
    if (isOwn) {
      registry.close();
    }
  }
}
