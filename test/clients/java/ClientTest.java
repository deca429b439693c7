// Confluent's Java client, in the version that Flink's connector bundles, against the registry at REGISTRY_URL. Run as a source file: `java -cp 'lib/*' ClientTest.java`.

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.Config;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.SchemaReference;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericData;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumReader;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumWriter;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.avro.shaded.org.apache.avro.io.DecoderFactory;
import org.apache.flink.avro.shaded.org.apache.avro.io.EncoderFactory;
import org.apache.flink.formats.avro.registry.confluent.ConfluentSchemaRegistryCoder;

public class ClientTest {
  private static final String URL = System.getenv().getOrDefault("REGISTRY_URL", "http://127.0.0.1:8080");

  /** A registry that asks for credentials; absent if the tests run against a single one. */
  private static final String GUARDED_URL = System.getenv("GUARDED_REGISTRY_URL");

  private static final String USER_INFO = System.getenv("GUARDED_REGISTRY_USER_INFO");

  private static final String USER = record("{\"name\":\"name\",\"type\":\"string\"}");
  private static final String USER_WITH_EMAIL =
      record("{\"name\":\"name\",\"type\":\"string\"},{\"name\":\"email\",\"type\":\"string\",\"default\":\"\"}");
  private static final String USER_WITH_AGE =
      record(
          "{\"name\":\"name\",\"type\":\"string\"},{\"name\":\"email\",\"type\":\"string\",\"default\":\"\"},"
              + "{\"name\":\"age\",\"type\":\"int\",\"default\":0}");
  private static final String INCOMPATIBLE_USER =
      record("{\"name\":\"name\",\"type\":\"string\"},{\"name\":\"must\",\"type\":\"string\"}");

  private interface Test {
    void run() throws Exception;
  }

  public static void main(String[] arguments) {
    Map<String, Test> tests = new java.util.LinkedHashMap<>();
    tests.put("a subject lives and dies", ClientTest::aSubjectLivesAndDies);
    tests.put("a deleted subject is registered again and evolves", ClientTest::aDeletedSubjectIsRegisteredAgain);
    tests.put("a deleted version is registered again and evolves", ClientTest::aDeletedVersionIsRegisteredAgain);
    tests.put("references", ClientTest::references);
    tests.put("compatibility, config and mode", ClientTest::compatibilityConfigAndMode);
    tests.put("import", ClientTest::imports);
    tests.put("normalisation", ClientTest::normalisation);
    tests.put("Flink's coder round-trips a record", ClientTest::flinkRoundTrip);
    if (GUARDED_URL != null && USER_INFO != null) {
      tests.put("a key's id and secret as user and password", ClientTest::basicCredentials);
    }
    int failed = 0;
    for (Map.Entry<String, Test> test : tests.entrySet()) {
      try {
        test.getValue().run();
        System.out.println("PASS: " + test.getKey());
      } catch (Throwable error) {
        failed += 1;
        System.out.println("FAIL: " + test.getKey());
        error.printStackTrace(System.out);
      }
    }
    System.exit(failed == 0 ? 0 : 1);
  }

  private static void aSubjectLivesAndDies() throws Exception {
    SchemaRegistryClient registry = client();
    String subject = unique("life");

    int first = registry.register(subject, avro(USER));
    int second = registry.register(subject, avro(USER_WITH_EMAIL));

    refused(409, 40901, () -> registry.register(subject, avro(INCOMPATIBLE_USER)));
    equal(false, registry.testCompatibility(subject, avro(INCOMPATIBLE_USER)));
    equal(true, registry.testCompatibility(subject, avro(USER)));
    equal(false, registry.testCompatibilityVerbose(subject, avro(INCOMPATIBLE_USER)).isEmpty());
    equal(first, client().getId(subject, avro(USER)));
    equal(2, client().getVersion(subject, avro(USER_WITH_EMAIL)));
    equal(List.of(1, 2), registry.getAllVersions(subject));
    equal(true, registry.getAllSubjects().contains(subject));
    equal(List.of(subject), new ArrayList<>(registry.getAllSubjectsByPrefix(subject)));
    equal(true, registry.getAllSubjectsById(second).contains(subject));
    equal(second, registry.getLatestSchemaMetadata(subject).getId());
    equal(USER, registry.getSchemaMetadata(subject, 1).getSchema());
    equal(USER, client().getSchemaById(first).canonicalString());
    equal(USER, client().getSchemaBySubjectAndId(subject, first).canonicalString());
    equal(1, registry.deleteSchemaVersion(subject, "1"));
    equal(List.of(2), registry.deleteSubject(subject));
    equal(List.of(1, 2), registry.deleteSubject(subject, true));
    refused(404, 40401, () -> client().getAllVersions(subject));
  }

  private static void aDeletedSubjectIsRegisteredAgain() throws Exception {
    SchemaRegistryClient registry = client();
    String subject = unique("again");
    int first = registry.register(subject, avro(USER));
    equal(List.of(1), registry.deleteSubject(subject));
    refused(404, 40401, () -> client().getAllVersions(subject));

    equal(first, registry.register(subject, avro(USER)));
    int evolved = registry.register(subject, avro(USER_WITH_EMAIL));

    equal(2, client().getVersion(subject, avro(USER)));
    equal(3, client().getVersion(subject, avro(USER_WITH_EMAIL)));
    equal(List.of(2, 3), registry.getAllVersions(subject));
    equal(evolved, registry.getLatestSchemaMetadata(subject).getId());
    refused(409, 40901, () -> client().register(subject, avro(INCOMPATIBLE_USER)));
  }

  private static void aDeletedVersionIsRegisteredAgain() throws Exception {
    SchemaRegistryClient registry = client();
    String subject = unique("again-version");
    int first = registry.register(subject, avro(USER));
    registry.register(subject, avro(USER_WITH_EMAIL));
    equal(1, registry.deleteSchemaVersion(subject, "1"));

    equal(first, client().register(subject, avro(USER)));
    equal(3, client().getVersion(subject, avro(USER)));
    equal(2, registry.deleteSchemaVersion(subject, "2"));
    equal(2, registry.deleteSchemaVersion(subject, "2", true));
    client().register(subject, avro(USER_WITH_AGE));

    equal(List.of(3, 4), registry.getAllVersions(subject));
    equal(USER_WITH_AGE, registry.getSchemaMetadata(subject, 4).getSchema());
  }

  private static void references() throws Exception {
    SchemaRegistryClient registry = client();
    String subject = unique("reference");
    registry.register(subject + "-user", avro(USER));
    List<SchemaReference> references = List.of(new SchemaReference("com.example.User", subject + "-user", 1));
    String team = "{\"type\":\"record\",\"name\":\"Team\",\"namespace\":\"com.example\",\"fields\":[{\"name\":\"lead\",\"type\":\"User\"}]}";
    AvroSchema referring = new AvroSchema(team, references, Map.of("com.example.User", USER), null);

    int id = registry.register(subject, referring);

    AvroSchema read = (AvroSchema) client().getSchemaById(id);
    equal(team, read.canonicalString());
    equal("User", read.rawSchema().getField("lead").schema().getName());
    refused(422, 42206, () -> registry.deleteSchemaVersion(subject + "-user", "1"));
  }

  private static void compatibilityConfigAndMode() throws Exception {
    SchemaRegistryClient registry = client();
    String subject = unique("config");

    equal("FULL", registry.updateCompatibility(subject, "FULL"));
    equal("FULL", registry.getCompatibility(subject));
    Config config = new Config("NONE");
    config.setNormalize(true);
    equal("NONE", registry.updateConfig(subject, config).getCompatibilityLevel());
    equal(true, registry.getConfig(subject).isNormalize());
    registry.deleteConfig(subject);
    equal("READONLY", registry.setMode("READONLY", subject));
    equal("READONLY", registry.getMode(subject));
    refused(422, 42205, () -> registry.register(subject, avro(USER)));
    registry.deleteMode(subject);
    registry.register(subject, avro(USER));
  }

  private static void imports() throws Exception {
    SchemaRegistryClient registry = client();
    String subject = ":." + unique("import") + ":subject";
    equal("IMPORT", registry.setMode("IMPORT", subject));

    equal(100, registry.register(subject, avro(USER), 5, 100));

    equal(5, client().getVersion(subject, avro(USER)));
  }

  private static void normalisation() throws Exception {
    SchemaRegistryClient registry = client();
    String subject = unique("normalise");

    int id = registry.register(subject, avro(USER_WITH_EMAIL));

    equal(id, client().register(subject, avro(USER_WITH_EMAIL), true));
    equal(id, client().register(unique("normalise-other"), avro(USER_WITH_EMAIL), true));
    equal(1, client().getVersion(subject, avro(USER_WITH_EMAIL), true));
  }

  private static void flinkRoundTrip() throws Exception {
    Schema schema = new Schema.Parser().parse(USER);
    GenericRecord sent = new GenericData.Record(schema);
    sent.put("name", "Ada");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    new ConfluentSchemaRegistryCoder(unique("flink") + "-value", client()).writeSchema(schema, bytes);
    var encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
    new GenericDatumWriter<GenericRecord>(schema).write(sent, encoder);
    var input = new ByteArrayInputStream(bytes.toByteArray());
    Schema writer = new ConfluentSchemaRegistryCoder(client()).readSchema(input);
    Schema reader = new Schema.Parser().parse(USER_WITH_EMAIL);
    var decoder = DecoderFactory.get().directBinaryDecoder(input, null);
    GenericRecord read = new GenericDatumReader<GenericRecord>(writer, reader).read(null, decoder);

    equal("Ada", read.get("name").toString());
    equal("", read.get("email").toString());
  }

  private static void basicCredentials() throws Exception {
    String subject = unique("basic");

    int id = guardedClient(USER_INFO).register(subject, avro(USER));

    equal(id, guardedClient(USER_INFO).getLatestSchemaMetadata(subject).getId());
    String keyId = USER_INFO.substring(0, USER_INFO.indexOf(':'));
    refused(401, 401, () -> guardedClient(keyId + ":" + "0".repeat(64)).getAllSubjects());
  }

  private static SchemaRegistryClient guardedClient(String userInfo) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("basic.auth.credentials.source", "USER_INFO");
    settings.put("basic.auth.user.info", userInfo);
    return new CachedSchemaRegistryClient(GUARDED_URL, 100, settings);
  }

  /** Each has a cache of its own, so that a new one asks the registry. */
  private static SchemaRegistryClient client() {
    return new CachedSchemaRegistryClient(URL, 100, new HashMap<String, Object>());
  }

  private static AvroSchema avro(String schema) {
    return new AvroSchema(schema);
  }

  private static String record(String fields) {
    return "{\"type\":\"record\",\"name\":\"User\",\"namespace\":\"com.example\",\"fields\":[" + fields + "]}";
  }

  private static String unique(String name) {
    return "java-" + name + "-" + UUID.randomUUID().toString().substring(0, 8);
  }

  private static void equal(Object expected, Object found) {
    if (!expected.equals(found)) throw new AssertionError("expected " + expected + ", found " + found);
  }

  private static void refused(int status, int code, Test call) throws Exception {
    try {
      call.run();
    } catch (RestClientException refusal) {
      equal(status, refusal.getStatus());
      equal(code, refusal.getErrorCode());
      return;
    }
    throw new AssertionError("expected a refusal with status " + status);
  }
}
