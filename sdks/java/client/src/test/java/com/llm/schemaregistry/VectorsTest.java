package com.llm.schemaregistry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.llm.schemaregistry.errors.ApiException;
import com.llm.schemaregistry.errors.CircuitOpenException;
import com.llm.schemaregistry.errors.ConnectionLostException;
import com.llm.schemaregistry.errors.IncompatibleSchemaException;
import com.llm.schemaregistry.errors.RegistryException;
import com.llm.schemaregistry.model.Difference;
import com.llm.schemaregistry.model.RegistryEvent;
import com.llm.schemaregistry.model.SchemaRecord;
import com.llm.schemaregistry.model.ValidationResult;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The behaviour that all SDKs share, from contract/vectors/sdk. README.md there says what each member means. */
class VectorsTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final File FOLDER = new File("../../../contract/vectors/sdk");
  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static Process server;
  private static String control;

  @BeforeAll
  static void startServer() throws IOException {
    server = new ProcessBuilder("node", new File(FOLDER, "server.mjs").getPath()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    BufferedReader out = new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8));
    control = MAPPER.readTree(out.readLine()).get("control").asText();
  }

  @AfterAll
  static void stopServer() {
    server.destroy();
  }

  @TestFactory
  List<DynamicTest> vectors() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    File[] files = FOLDER.listFiles((folder, name) -> name.endsWith(".json"));
    assertTrue(files != null && files.length > 0, "there are no vectors");
    for (File file : files) {
      for (JsonNode vector : MAPPER.readTree(file).get("vectors")) {
        String name = file.getName().replace(".json", ": ") + vector.get("description").asText();
        tests.add(DynamicTest.dynamicTest(name, () -> new Run(vector).play()));
      }
    }
    return tests;
  }

  private static JsonNode ask(String path, String body) throws IOException, InterruptedException {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(control + path));
    request = body == null ? request.GET() : request.POST(HttpRequest.BodyPublishers.ofString(body));
    return MAPPER.readTree(HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString()).body());
  }

  private static final class Run {
    private final JsonNode vector;
    private final FakeClock clock;
    private final List<ClientEvent> events = Collections.synchronizedList(new ArrayList<>());
    private final List<String> log = Collections.synchronizedList(new ArrayList<>());
    private SchemaRegistry client;

    Run(JsonNode vector) {
      this.vector = vector;
      this.clock = new FakeClock(vector.path("wall_ms").asLong());
    }

    void play() throws Exception {
      // HttpClient repeats a GET whose connection ends before the answer begins.
      ObjectNode script = MAPPER.createObjectNode().put("transport_repeats", true);
      JsonNode begun = ask("/_run", script.set("exchanges", vector.get("exchanges")).toString());
      client = options(begun.get("url").asText()).build();
      for (JsonNode step : vector.get("steps")) {
        take(step);
      }
      JsonNode ended = ask("/_run/" + begun.get("run").asInt(), null);
      assertEquals("[]", ended.get("mismatches").toString());
      assertEquals(0, ended.get("left").asInt(), "exchanges left");
      expectEnd();
      client.close();
    }

    private ClientOptions options(String url) {
      JsonNode given = vector.path("client");
      Deque<Double> random = new ArrayDeque<>();
      vector.path("random").forEach(number -> random.add(number.asDouble()));
      ClientOptions options =
          SchemaRegistry.builder(url)
              .clock(clock)
              .app("vectors/1")
              .random(() -> random.isEmpty() ? 0.5 : random.poll())
              .debug(log::add)
              .onEvent(events::add);
      if (given.has("api_key")) {
        options.apiKey(given.get("api_key").asText());
      }
      if (given.has("context")) {
        options.context(given.get("context").asText());
      }
      if (given.has("timeout_ms")) {
        options.timeout(Duration.ofMillis(given.get("timeout_ms").asLong()));
      }
      if (given.has("attempt_timeout_ms")) {
        options.attemptTimeout(Duration.ofMillis(given.get("attempt_timeout_ms").asLong()));
      }
      if (given.has("max_attempts")) {
        options.maxAttempts(given.get("max_attempts").asInt());
      }
      if (given.has("stale_max_age_ms")) {
        options.staleLifetime(Duration.ofMillis(given.get("stale_max_age_ms").asLong()));
      }
      if (given.has("cache_max_entries")) {
        options.cacheSize(given.get("cache_max_entries").asInt(), 1 << 20);
      }
      return options;
    }

    private void take(JsonNode step) throws Exception {
      if (step.has("advance_ms")) {
        clock.advance(step.get("advance_ms").asLong());
        return;
      }
      if (!step.has("parallel")) {
        int began = events.size();
        expect(step, begin(step), began);
        return;
      }
      int before = events.size();
      List<CompletableFuture<?>> calls = new ArrayList<>();
      for (JsonNode one : step.get("parallel")) {
        calls.add(begin(one));
      }
      for (int i = 0; i < calls.size(); i++) {
        expect(step.get("parallel").get(i), calls.get(i), before);
      }
    }

    private CompletableFuture<?> begin(JsonNode step) {
      CompletableFuture<?>[] call = new CompletableFuture<?>[1];
      clock.onSleep = step.has("cancel_in_wait") ? () -> cancelSoon(call) : null;
      call[0] = invoke(step);
      if (step.path("options").has("timeout_ms")) {
        call[0] = call[0].orTimeout(step.path("options").get("timeout_ms").asLong(), TimeUnit.MILLISECONDS);
      }
      if (step.has("cancel_after_ms")) {
        CompletableFuture.delayedExecutor(step.get("cancel_after_ms").asLong(), TimeUnit.MILLISECONDS).execute(() -> call[0].cancel(true));
      }
      return call[0];
    }

    private static void cancelSoon(CompletableFuture<?>[] call) {
      CompletableFuture.delayedExecutor(20, TimeUnit.MILLISECONDS).execute(() -> call[0].cancel(true));
    }

    private void expect(JsonNode step, CompletableFuture<?> call, int before) throws Exception {
      Object value = null;
      Throwable error = null;
      try {
        value = call.get(20, TimeUnit.SECONDS);
      } catch (ExecutionException e) {
        error = e.getCause();
      } catch (CancellationException e) {
        error = e;
      }
      if (step.has("error")) {
        expectError(step.get("error"), error);
        return;
      }
      if (error != null) {
        fail(error);
      }
      expectValue(step, value);
      if (step.has("source")) {
        List<String> sources = new ArrayList<>();
        for (ClientEvent event : new ArrayList<>(events).subList(before, events.size())) {
          if (event.kind().equals("call")) {
            sources.add(event.source());
          }
        }
        assertTrue(sources.contains(step.get("source").asText()), step.get("source") + " among " + sources);
      }
    }

    private void expectValue(JsonNode step, Object value) {
      JsonNode returns = step.path("returns");
      if (returns.isObject()) {
        ValidationResult result = (ValidationResult) value;
        assertEquals(returns.get("valid").asBoolean(), result.valid());
        assertEquals(returns.get("stale").asBoolean(), result.stale());
      } else if (!returns.isMissingNode()) {
        assertEquals(returns.asText(), String.valueOf(value));
      }
      if (step.has("fields")) {
        assertEquals(step.get("fields").get("state").asText(), ((SchemaRecord) value).state());
      }
      if (step.has("items")) {
        assertEquals(step.get("items").asInt(), ((List<?>) value).size());
      }
      if (step.has("seqs")) {
        assertEquals(step.get("seqs").toString().replace(",", ", "), value.toString());
      }
    }

    private void expectError(JsonNode expected, Throwable error) {
      if (expected.has("cancelled")) {
        assertTrue(error instanceof CancellationException, "not cancelled: " + error);
        return;
      }
      if (expected.has("timed_out")) {
        assertTrue(error instanceof TimeoutException, "not timed out: " + error);
        return;
      }
      assertTrue(error instanceof RegistryException, "gave " + error);
      RegistryException failure = (RegistryException) error;
      expected
          .fields()
          .forEachRemaining(
              member -> {
                JsonNode value = member.getValue();
                switch (member.getKey()) {
                  case "code":
                    assertEquals(value.asText(), failure.code());
                    break;
                  case "attempts":
                    assertEquals(value.asInt(), failure.attempts());
                    break;
                  case "name":
                    assertEquals(value.asText() + "Exception", failure.getClass().getSimpleName().replace("ApiException", "ApiErrorException"));
                    break;
                  case "status":
                    assertEquals(value.asInt(), ((ApiException) failure).status());
                    break;
                  case "may_have_been_sent":
                    assertEquals(value.asBoolean(), ((ConnectionLostException) failure).mayHaveBeenSent());
                    break;
                  case "retry_after_ms":
                    Duration retry = failure instanceof CircuitOpenException ? ((CircuitOpenException) failure).retryAfter() : ((ApiException) failure).retryAfter().orElseThrow();
                    assertEquals(value.asLong(), retry.toMillis());
                    break;
                  case "verdict_kinds":
                    List<String> kinds = ((IncompatibleSchemaException) failure).verdict().differences().stream().map(Difference::kind).collect(Collectors.toList());
                    assertEquals(value.toString(), MAPPER.valueToTree(kinds).toString());
                    break;
                  default:
                    fail("the vectors expect " + member.getKey());
                }
              });
    }

    private void expectEnd() {
      if (vector.has("slept_ms")) {
        assertEquals(vector.get("slept_ms").toString().replace(",", ", "), clock.slept.toString());
      }
      if (vector.has("token")) {
        assertEquals(vector.get("token").asText(), client.token().orElse(null));
      }
      if (vector.has("seen")) {
        assertEquals(vector.get("seen").asText(), client.cacheStats().get("token_seen"));
      }
      if (vector.has("breaker")) {
        assertEquals(vector.get("breaker").asText(), client.cacheStats().get("breaker"));
      }
      assertEquals(vector.path("token_unreadable").asInt(), client.cacheStats().get("token_unreadable"));
      vector.path("cache_stats").fields().forEachRemaining(count -> assertEquals(count.getValue().asLong(), client.cacheStats().get(count.getKey()), count.getKey()));
      vector.path("log_lacks").forEach(secret -> assertFalse(log.toString().contains(secret.asText())));
    }

    private static Schema schema(JsonNode schema) {
      String format = schema.fieldNames().next();
      return format.equals("avro") ? AvroSchema.of(schema.get(format).toString()) : JsonSchema.of(schema.get(format).toString());
    }

    private CompletableFuture<?> invoke(JsonNode step) {
      JsonNode args = step.path("args");
      String id = args.path("id").asText();
      String subject = args.path("subject").asText();
      String minToken = step.path("options").path("min_token").asText(null);
      switch (step.get("call").asText()) {
        case "register_schema":
          String key = step.path("options").path("idempotency_key").asText(null);
          return client.registerSchema(RegisterRequest.of(subject, schema(args.get("schema"))).idempotencyKey(key).build());
        case "get_schema":
          return client.getSchema(id, minToken);
        case "get_version":
          return client.getVersion(subject, args.get("version").asText(), minToken);
        case "latest":
          return client.latest(subject);
        case "validate":
          return args.path("remote").asBoolean() ? client.validateRemotely(args.get("data"), id).thenApply(ValidationResult::valid) : client.validate(args.get("data"), id, minToken);
        case "explain_validation":
          return client.explainValidation(args.get("data"), id);
        case "check_compatibility":
          return client.checkCompatibility(subject, schema(args.get("schema")));
        case "search":
          SearchRequest search = SearchRequest.of(args.get("query").asText());
          return later(() -> client.search(args.path("consistent").asBoolean() ? search.consistent() : search));
        case "list_subjects":
          return later(() -> client.listSubjects(ListRequest.prefix(args.get("prefix").asText())));
        case "update":
          Change change = new Change().ifMatch(args.path("if_match").asText(null)).clearOwner();
          return client.update(id, change.tags(StreamSupport.stream(args.get("change").get("tags").spliterator(), false).map(JsonNode::asText).collect(Collectors.toList())));
        case "delete":
          return args.path("permanent").asBoolean() ? client.deletePermanently(id) : client.delete(id);
        case "clear_cache":
          client.clearCache();
          return CompletableFuture.completedFuture(null);
        case "events":
          return CompletableFuture.supplyAsync(() -> seqs(args.get("after").asLong(), step.get("take").asInt()));
        default:
          throw new AssertionError("the vectors call " + step.get("call"));
      }
    }

    private static CompletableFuture<?> later(java.util.function.Supplier<Pages<?>> pages) {
      return CompletableFuture.supplyAsync(() -> pages.get().stream().collect(Collectors.toList())).handle(Run::unwrap).thenCompose(done -> done);
    }

    private static <T> CompletableFuture<T> unwrap(T value, Throwable error) {
      return error == null ? CompletableFuture.completedFuture(value) : CompletableFuture.failedFuture(error.getCause());
    }

    private List<Long> seqs(long after, int take) {
      List<Long> seqs = new ArrayList<>();
      try (EventStream stream = client.events(EventRequest.after(after))) {
        while (seqs.size() < take) {
          RegistryEvent event = stream.next();
          seqs.add(event.seq());
        }
      }
      return seqs;
    }
  }
}
