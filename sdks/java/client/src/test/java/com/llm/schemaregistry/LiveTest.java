package com.llm.schemaregistry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.llm.schemaregistry.errors.IncompatibleSchemaException;
import com.llm.schemaregistry.errors.NotFoundException;
import com.llm.schemaregistry.errors.PreconditionFailedException;
import com.llm.schemaregistry.model.SchemaRecord;
import com.llm.schemaregistry.model.SearchHit;
import com.llm.schemaregistry.model.ValidationResult;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** The client against a started registry: what no scripted server can show. */
@EnabledIfEnvironmentVariable(named = "REGISTRY_URL", matches = ".+")
class LiveTest {
  private final SchemaRegistry registry = SchemaRegistry.builder(System.getenv("REGISTRY_URL")).app("live/1").build();
  private final BlockingSchemaRegistry blocking = registry.blocking();

  private static String newSubject(String name) {
    return "java-" + name + "/%é-" + UUID.randomUUID();
  }

  @Test
  void registersAllThreeFormats() {
    String avro = registry.registerSchema(newSubject("avro"), AvroSchema.of("{\"type\": \"record\", \"name\": \"A\", \"fields\": []}")).join();
    String protobuf = blocking.registerSchema(newSubject("proto"), ProtobufSchema.of("syntax = \"proto3\"; message M {}"));

    SchemaRecord record = blocking.getSchema(avro);
    assertEquals("avro", record.format());
    assertEquals("1.0.0", record.version());
    assertTrue(record.content().contains("record") && record.toJson().contains(record.guid()) && record.fingerprint().startsWith("sha256:"));
    assertTrue(record.confluentId() > 0 && record.createdAt() != null && record.createdBy() != null && record.updatedAt() != null && record.warnings().isEmpty());
    assertTrue(blocking.getSchema(protobuf).content().startsWith("syntax"));
  }

  @Test
  void readsItsOwnWrites() {
    String subject = newSubject("evolve");
    blocking.registerSchema(RegisterRequest.of(subject, JsonSchema.of("{\"type\": \"object\"}")).compatibilityLevel("NONE").description("d").role("data").build());
    blocking.latest(subject);
    String second = blocking.registerSchema(RegisterRequest.of(subject, JsonSchema.of("{\"type\": \"array\"}")).version("2.0.0").state("active").metadata(Map.of("k", "v")).build());

    assertEquals(second, blocking.latest(subject).id());
    assertEquals(second, blocking.getVersion(subject, "^2").id());
    assertEquals(2, registry.listVersions(subject).stream().count());
    assertEquals("array", blocking.getVersion(subject, 2).content().replaceAll("[^a-z]", "").replace("type", ""));
    assertEquals(1, registry.listSubjects(ListRequest.prefix(subject)).stream().filter(found -> found.name().equals(subject) && found.versions() == 2).count());
  }

  @Test
  void validatesWithReferences() {
    String shared = newSubject("shared");
    String name = "https://example.test/age.json";
    blocking.registerSchema(shared, JsonSchema.of("{\"type\": \"integer\", \"minimum\": 0}"));
    JsonSchema schema = JsonSchema.of("{\"type\": \"object\", \"properties\": {\"age\": {\"$ref\": \"" + name + "\"}}}");
    String id = blocking.registerSchema(RegisterRequest.of(newSubject("refers"), schema).reference(name, shared, 1).build());

    assertTrue(blocking.validate(Map.of("age", 3), id));
    ValidationResult refused = blocking.explainValidation("{\"age\": -3}", id);
    assertFalse(refused.valid());
    assertEquals("local", refused.engine());
    assertEquals("/age", refused.errors().get(0).pointer());
    assertEquals(2, blocking.validateBatch(List.of(Map.of("age", 1), Map.of("age", "x")), id).size());
    assertFalse(registry.validateRemotely(Map.of("age", -1), id).join().valid());
  }

  @Test
  void saysWhyACheckAndARegistrationAreRefused() {
    String subject = newSubject("check");
    blocking.registerSchema(subject, JsonSchema.of("{\"type\": \"string\"}"));
    JsonSchema narrower = JsonSchema.of("{\"type\": \"integer\"}");

    assertFalse(blocking.checkCompatibility(subject, narrower));
    assertEquals("TYPE_CHANGED", blocking.explainCompatibility(subject, narrower).differences().get(0).kind());
    IncompatibleSchemaException refused = assertThrows(IncompatibleSchemaException.class, () -> blocking.registerSchema(subject, narrower));
    assertNotNull(refused.verdict().differences().get(0).witness().datum());
    assertTrue(refused.requestId().isPresent() && refused.detail().contains("incompatible"));
  }

  @Test
  void changesDeletesAndBringsBack() {
    String id = blocking.registerSchema(RegisterRequest.of(newSubject("life"), JsonSchema.of("true")).owner("a").tags(List.of("x")).build());

    SchemaRecord changed = blocking.update(id, new Change().clearOwner().state("deprecated").reason("replaced").description("d").metadata(Map.of()).clearRole());
    assertNull(changed.owner());
    assertEquals(List.of("x"), changed.tags());
    assertThrows(PreconditionFailedException.class, () -> blocking.update(id, new Change().owner("b").ifMatch("\"1\"")));
    blocking.getSchema(id);
    blocking.delete(id);
    assertThrows(NotFoundException.class, () -> blocking.getSchema(id));
    assertEquals(1, blocking.undelete(id).versionNumber());
    blocking.delete(id);
    blocking.deletePermanently(id);
    assertThrows(NotFoundException.class, () -> blocking.undelete(id));
  }

  @Test
  void projectsDecodesSearchesAndFollows() {
    String word = "word" + UUID.randomUUID().toString().replace("-", "");
    JsonSchema schema = JsonSchema.of("{\"title\": \"" + word + "\", \"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}, \"unit\": {\"type\": \"string\"}}, \"required\": [\"city\"]}");
    String id = blocking.registerSchema("java-" + word, schema);

    assertEquals("lossless", blocking.project(id, "openai-strict").loss());
    assertEquals("valid", blocking.decode(id, "openai-strict", "{\"city\": \"Oslo\", \"unit\": null}").get(0).outcome());
    List<SearchHit> hits = registry.search(SearchRequest.of(word).filter("format", "json-schema").consistent()).stream().collect(Collectors.toList());
    assertEquals(id, hits.get(0).record().id());
    long seq = blocking.getSchema(id).seq();
    try (EventStream events = registry.events(EventRequest.after(seq - 1).subjects("java-" + word).types("schema.registered"))) {
      assertEquals(seq, events.next().seq());
    }
    assertEquals("ok", blocking.health());
    registry.clearCache("java-" + word);
    registry.close();
  }
}
