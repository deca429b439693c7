package com.llm.schemaregistry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.llm.schemaregistry.errors.ApiException;
import com.llm.schemaregistry.errors.ConfigurationException;
import com.llm.schemaregistry.errors.ConnectionLostException;
import com.llm.schemaregistry.internal.LocalValidator;
import com.llm.schemaregistry.internal.Token;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client refuses before it asks anything, and how its parts behave by themselves. */
class ClientTest {
  /** An address of this machine at which nothing listens. */
  private static String nowhere() throws IOException {
    try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return "http://127.0.0.1:" + probe.getLocalPort();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost:8080", "not a url", "ftp://localhost", "http://"})
  void refusesWhatIsNoAddress(String url) {
    assertThrows(ConfigurationException.class, () -> new SchemaRegistry(url));
  }

  @Test
  void refusesOptionsThatNoCallCouldBeMadeWith() {
    List<UnaryOperator<ClientOptions>> wrong =
        List.of(
            options -> options.timeout(Duration.ZERO),
            options -> options.attemptTimeout(Duration.ofSeconds(-1)),
            options -> options.maxAttempts(0),
            options -> options.cacheSize(-1, 0),
            options -> options.headLifetime(Duration.ofMillis(300_001)),
            options -> options.app("billing\n2"),
            options -> options.app("x".repeat(65)));
    for (UnaryOperator<ClientOptions> option : wrong) {
      assertThrows(ConfigurationException.class, () -> option.apply(SchemaRegistry.builder("http://localhost")).build());
    }
  }

  @Test
  void takesOptionsAtTheirLimits() {
    try (SchemaRegistry registry = SchemaRegistry.builder("https://r.test/base/").app("x".repeat(64)).headLifetime(Duration.ofMinutes(5)).build()) {
      assertTrue(registry.token().isEmpty());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.2", "1.2.3", "a.b.c", "1.1234567890123456.0", "-1.2.0", ""})
  void refusesATokenThatIsNone(String token) throws IOException {
    try (SchemaRegistry registry = new SchemaRegistry(nowhere())) {
      assertThrows(ConfigurationException.class, () -> registry.getSchema("a", token));
    }
  }

  @Test
  void saysThatNothingWasSentWhereNoConnectionWasMade() throws IOException {
    try (SchemaRegistry registry = SchemaRegistry.builder(nowhere()).maxAttempts(1).build()) {
      ConnectionLostException lost = assertThrows(ConnectionLostException.class, () -> registry.blocking().health());
      assertFalse(lost.mayHaveBeenSent());
      assertTrue(lost.getCause() != null);
    }
  }

  @Test
  void survivesAMetricsHookThatThrows() throws IOException {
    ClientOptions options = SchemaRegistry.builder(nowhere()).maxAttempts(1);
    options.onEvent(
        event -> {
          throw new IllegalStateException("mine");
        });
    try (SchemaRegistry registry = options.build()) {
      assertThrows(ConnectionLostException.class, () -> registry.blocking().health());
    }
  }

  @Test
  void warnsOfAKeyThatCrossesTheNetworkInPlainText() {
    List<String> lines = new ArrayList<>();
    for (String url : List.of("http://registry.test", "http://127.0.0.1", "http://[::1]", "http://localhost", "https://registry.test")) {
      SchemaRegistry.builder(url).apiKey("llmsr_default_k1_s").debug(lines::add).build().close();
    }
    assertEquals(1, lines.size());
    assertFalse(lines.get(0).contains("llmsr_"));
  }

  @Test
  void throwsTheRefusalOfAnEventStreamThoughItsBodyNeverEnds() throws IOException {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      CompletableFuture<Void> answered =
          CompletableFuture.runAsync(
              () -> {
                try (Socket stream = server.accept()) {
                  stream.getOutputStream().write("HTTP/1.1 401 Unauthorized\r\nContent-Type: application/problem+json\r\nContent-Length: 100\r\n\r\n{".getBytes(StandardCharsets.US_ASCII));
                  stream.getInputStream().transferTo(OutputStream.nullOutputStream());
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      try (SchemaRegistry registry = SchemaRegistry.builder("http://127.0.0.1:" + server.getLocalPort()).attemptTimeout(Duration.ofMillis(200)).build();
          EventStream events = registry.events(EventRequest.after(0))) {
        ApiException refused = assertTimeoutPreemptively(Duration.ofSeconds(20), () -> assertThrows(ApiException.class, events::next));
        assertEquals(401, refused.status());
      }
      answered.join();
    }
  }

  @Test
  void refusesDataThatIsNoJsonText() throws IOException {
    try (SchemaRegistry registry = new SchemaRegistry(nowhere())) {
      assertThrows(IllegalArgumentException.class, () -> registry.validate("{", "a"));
    }
  }

  @ParameterizedTest
  @CsvSource({",1.100.40,1.100.40", "1.100.40,1.99.99,1.100.40", "1.9.0,1.10.0,1.10.0", "1.100.100,1.100.40,1.100.40", "1.500.20,2.3.0,2.3.0"})
  void keepsTheNewestToken(String held, String incoming, String kept) {
    assertEquals(kept, Token.newest(Token.parse(held), Token.parse(incoming)).text());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"format\": \"email\"}",
        "{\"pattern\": \"^\\\\d+$\"}",
        "{\"patternProperties\": {\"(?<a>x)\": {}}}",
        "{\"multipleOf\": 0.1}",
        "{\"maximum\": 9007199254740992}",
        "{\"$dynamicRef\": \"#a\"}",
        "{\"anyOf\": [{\"contentMediaType\": \"application/json\"}]}",
        "{"
      })
  void leavesToTheRegistryWhatEnginesJudgeDifferently(String schema) {
    assertNull(LocalValidator.prepare("2020-12", schema));
  }

  @Test
  void leavesAnUnknownDialectAndUnsafeNumbersToTheRegistry() throws IOException {
    assertNull(LocalValidator.prepare("2030-01", "{}"));
    LocalValidator validator = LocalValidator.prepare("2020-12", "{}");
    assertNull(validator.validate(new ObjectMapper().readTree("{\"a\": 9007199254740992}")));
  }

  @Test
  void validatesWithReferencesAndNamesThePlace() throws IOException {
    String schema = "{\"properties\": {\"a/b\": {\"items\": {\"$ref\": \"#/$defs/age.json\"}}}, \"$defs\": {\"age.json\": {\"minimum\": 1}}}";
    LocalValidator validator = LocalValidator.prepare("2020-12", schema);
    String result = validator.validate(new ObjectMapper().readTree("{\"a/b\": [1, 0]}"));
    assertTrue(result.contains("\"/a~1b/1\"") && result.contains("\"minimum\""), result);
  }
}
