package com.llm.schemaregistry.spring;

import com.llm.schemaregistry.SchemaRegistry;
import com.llm.schemaregistry.errors.RegistryException;
import java.util.Optional;

/** Asks the registry whether it answers. */
final class RegistryHealth implements AutoCloseable {
  private final SchemaRegistry registry;

  RegistryHealth(SchemaRegistry registry) {
    this.registry = registry;
  }

  /** The error's code; empty if the registry answers. */
  Optional<String> failure() {
    try {
      registry.blocking().health();
      return Optional.empty();
    } catch (RegistryException refused) {
      return Optional.of(refused.code());
    }
  }

  @Override
  public void close() {
    registry.close();
  }
}
