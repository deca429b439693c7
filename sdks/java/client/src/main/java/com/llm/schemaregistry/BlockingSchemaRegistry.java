package com.llm.schemaregistry;

import com.llm.schemaregistry.model.DecodedAnswer;
import com.llm.schemaregistry.model.Projection;
import com.llm.schemaregistry.model.SchemaRecord;
import com.llm.schemaregistry.model.ValidationResult;
import com.llm.schemaregistry.model.Verdict;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** The client's methods with plain values. An interrupted thread cancels its call. */
public final class BlockingSchemaRegistry {
  private final SchemaRegistry registry;

  BlockingSchemaRegistry(SchemaRegistry registry) {
    this.registry = registry;
  }

  public String registerSchema(String subject, Schema schema) {
    return get(registry.registerSchema(subject, schema));
  }

  public String registerSchema(RegisterRequest request) {
    return get(registry.registerSchema(request));
  }

  public SchemaRecord getSchema(String id) {
    return get(registry.getSchema(id));
  }

  public SchemaRecord getVersion(String subject, String version) {
    return get(registry.getVersion(subject, version));
  }

  public SchemaRecord getVersion(String subject, int version) {
    return get(registry.getVersion(subject, version));
  }

  public SchemaRecord latest(String subject) {
    return get(registry.latest(subject));
  }

  public boolean validate(Object data, String id) {
    return get(registry.validate(data, id));
  }

  public ValidationResult explainValidation(Object data, String id) {
    return get(registry.explainValidation(data, id));
  }

  public List<ValidationResult> validateBatch(Collection<?> items, String id) {
    return get(registry.validateBatch(items, id));
  }

  public boolean checkCompatibility(String subject, Schema schema) {
    return get(registry.checkCompatibility(subject, schema));
  }

  public Verdict explainCompatibility(String subject, Schema schema) {
    return get(registry.explainCompatibility(subject, schema));
  }

  public SchemaRecord update(String id, Change change) {
    return get(registry.update(id, change));
  }

  public void delete(String id) {
    get(registry.delete(id));
  }

  public void deletePermanently(String id) {
    get(registry.deletePermanently(id));
  }

  public SchemaRecord undelete(String id) {
    return get(registry.undelete(id));
  }

  public Projection project(String id, String profile) {
    return get(registry.project(id, profile));
  }

  public List<DecodedAnswer> decode(String id, String profile, Object answer) {
    return get(registry.decode(id, profile, answer));
  }

  public String health() {
    return get(registry.health());
  }

  static <T> T get(CompletableFuture<T> future) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      future.cancel(true);
      Thread.currentThread().interrupt();
      throw new CancellationException("The thread was interrupted.");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException) {
        throw (RuntimeException) e.getCause();
      }
      throw new IllegalStateException(e.getCause());
    }
  }
}
