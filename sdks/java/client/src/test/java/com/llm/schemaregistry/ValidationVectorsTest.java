package com.llm.schemaregistry;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.llm.schemaregistry.model.ValidationResult;
import java.io.File;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** contract/vectors/validation: the answers that every SDK gives, in its process and by asking. */
@EnabledIfEnvironmentVariable(named = "REGISTRY_URL", matches = ".+")
class ValidationVectorsTest {
  private static final File FILE = new File("../../../contract/vectors/validation/json-schema.json");
  private final BlockingSchemaRegistry registry = SchemaRegistry.builder(System.getenv("REGISTRY_URL")).build().blocking();

  @TestFactory
  Stream<DynamicTest> answersAsEverySdkDoes() throws IOException {
    JsonNode vectors = new ObjectMapper().readTree(FILE).get("vectors");
    return StreamSupport.stream(vectors.spliterator(), false)
        .map(vector -> DynamicTest.dynamicTest(vector.get("description").asText(), () -> run(vector)));
  }

  private void run(JsonNode template) throws IOException {
    JsonNode vector = new ObjectMapper().readTree(template.toString().replace("$run", "java-vector-" + UUID.randomUUID()));
    vector.path("before").forEach(this::register);
    String id = register(vector);
    for (String name : List.of("valid", "invalid")) {
      for (JsonNode data : vector.get(name)) {
        ValidationResult here = registry.explainValidation(data.toString(), id);
        assertEquals(name.equals("valid"), here.valid(), data.toString());
      }
    }
  }

  private String register(JsonNode vector) {
    String subject = vector.path("subject").asText("java-vector-" + UUID.randomUUID());
    RegisterRequest.Builder request = RegisterRequest.of(subject, JsonSchema.of(vector.get("schema").toString()));
    for (JsonNode reference : vector.path("references")) {
      request.reference(reference.get("name").asText(), reference.get("subject").asText(), reference.get("version").asInt());
    }
    return registry.registerSchema(request.build());
  }
}
