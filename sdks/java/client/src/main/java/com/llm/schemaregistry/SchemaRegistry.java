package com.llm.schemaregistry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.llm.schemaregistry.errors.ApiException;
import com.llm.schemaregistry.errors.BadAnswerException;
import com.llm.schemaregistry.errors.ConfigurationException;
import com.llm.schemaregistry.errors.RegistryException;
import com.llm.schemaregistry.internal.Answer;
import com.llm.schemaregistry.internal.Breaker;
import com.llm.schemaregistry.internal.Cache;
import com.llm.schemaregistry.internal.Futures;
import com.llm.schemaregistry.internal.Limits;
import com.llm.schemaregistry.internal.LocalValidator;
import com.llm.schemaregistry.internal.Names;
import com.llm.schemaregistry.internal.Operation;
import com.llm.schemaregistry.internal.Read;
import com.llm.schemaregistry.internal.ReadAnswer;
import com.llm.schemaregistry.internal.Reader;
import com.llm.schemaregistry.internal.Settings;
import com.llm.schemaregistry.internal.Token;
import com.llm.schemaregistry.internal.Tokens;
import com.llm.schemaregistry.model.DecodedAnswer;
import com.llm.schemaregistry.model.Projection;
import com.llm.schemaregistry.model.SchemaContent;
import com.llm.schemaregistry.model.SchemaRecord;
import com.llm.schemaregistry.model.SearchHit;
import com.llm.schemaregistry.model.SubjectSummary;
import com.llm.schemaregistry.model.ValidationResult;
import com.llm.schemaregistry.model.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.WeakHashMap;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * A client of the registry. It is safe for threads; make one, share it, and close it at the end. Cancelling a future stops its call.
 *
 * <p>{@link #blocking()} has the same methods with plain values.
 */
public final class SchemaRegistry implements AutoCloseable {
  static final ObjectMapper MAPPER = new ObjectMapper();

  /** The status of a schema that has no bundle, such as one whose references are of several dialects. */
  private static final int UNPROCESSABLE = 422;

  private final ClientOptions options;
  private final Settings settings;
  private final Cache cache;
  private final Reader reader;
  private final Map<SchemaContent, CompletableFuture<Optional<LocalValidator>>> validators = new WeakHashMap<>();

  public SchemaRegistry(String url) {
    this(builder(url));
  }

  SchemaRegistry(ClientOptions options) {
    options.check();
    this.options = options;
    this.settings =
        new Settings(
            options.baseUrl(),
            options.headers(),
            options.timeout,
            options.attemptTimeout,
            options.maxAttempts,
            options.http(),
            options.executor(),
            options.clock,
            options.random,
            new Tokens(),
            new Breaker(options.breakerFailures, options.breakerOpen),
            this::emit,
            options.debug);
    this.cache = new Cache(options.maxCacheEntries, options.maxCacheBytes);
    this.reader = new Reader(settings, cache, options.staleLifetime);
  }

  public static ClientOptions builder(String url) {
    return new ClientOptions(url);
  }

  /** The same methods with plain values, over the same cache, token and breaker. */
  public BlockingSchemaRegistry blocking() {
    return new BlockingSchemaRegistry(this);
  }

  /** The newest token of this client's own writes, to hand to another process; empty before the first. */
  public Optional<String> token() {
    return Optional.ofNullable(settings.tokens.wrote()).map(Token::text);
  }

  /** Registers a schema as the next version of a subject and gives the version's id. POST /schemas. */
  public CompletableFuture<String> registerSchema(String subject, Schema schema) {
    return registerSchema(RegisterRequest.of(subject, schema).build());
  }

  /** Registers a schema. An {@code IncompatibleSchemaException} carries the verdict. POST /schemas. */
  public CompletableFuture<String> registerSchema(RegisterRequest request) {
    ObjectNode body = describe(request.subject, request.schema);
    request.attributes.forEach((name, value) -> body.set(name, MAPPER.valueToTree(value)));
    Operation operation = new Operation("register_schema", "POST", "/schemas").json(bytes(body)).writesOnce(request.idempotencyKey);
    return Futures.map(
        call(operation),
        answer -> {
          cache.forgetSubject(qualified(request.subject));
          SchemaRecord record = parse(answer, SchemaRecord::ofJson);
          reader.keepWritten(key("record", record.id()), record, Names.qualify(record.context(), record.subject()), answer);
          return record.id();
        });
  }

  /** Reads a version by its id. GET /schemas/{id}. */
  public CompletableFuture<SchemaRecord> getSchema(String id) {
    return getSchema(id, null);
  }

  /** Reads a version by its id, no older than a token of another process. */
  public CompletableFuture<SchemaRecord> getSchema(String id, String minToken) {
    Operation operation = new Operation("get_schema", "GET", "/schemas/" + Names.encode(id));
    Read read = new Read(key("record", id), operation, false, headers -> Limits.RECORD_LIFETIME, SchemaRecord::ofJson, SchemaRegistry::subjectOf);
    return Futures.map(read(read, minToken), answer -> (SchemaRecord) answer.value);
  }

  /** Reads a version by number, semantic version, range (^2, 1.x), alias or "latest". GET /subjects/{s}/versions/{v}. */
  public CompletableFuture<SchemaRecord> getVersion(String subject, String version) {
    return getVersion(subject, version, null);
  }

  /** Reads a version by number. */
  public CompletableFuture<SchemaRecord> getVersion(String subject, int version) {
    return getVersion(subject, String.valueOf(version), null);
  }

  /** Reads a version, no older than a token of another process. */
  public CompletableFuture<SchemaRecord> getVersion(String subject, String version, String minToken) {
    String[] name = Names.split(subject, options.context);
    boolean isNumber = version.matches("[1-9][0-9]{0,9}");
    Duration lifetime = isNumber ? Limits.RECORD_LIFETIME : options.headLifetime;
    String path = "/subjects/" + Names.encode(Names.qualify(name)) + "/versions/" + Names.encode(version);
    Read read =
        new Read(
            key(isNumber ? "version" : "head", name[0], name[1], version),
            new Operation("get_version", "GET", path),
            false,
            headers -> lifetime,
            SchemaRecord::ofJson,
            record -> Names.qualify(name));
    return Futures.map(read(read, minToken), answer -> (SchemaRecord) answer.value);
  }

  /** Reads a subject's newest active version. */
  public CompletableFuture<SchemaRecord> latest(String subject) {
    return getVersion(subject, "latest");
  }

  /**
   * Whether the schema accepts the data: JSON text, or what Jackson makes JSON of. Decided locally once the schema is
   * cached.
   */
  public CompletableFuture<Boolean> validate(Object data, String id) {
    return Futures.map(validate("validate", data, id, null), ValidationResult::valid);
  }

  /** Whether the schema accepts the data, read no older than a token of another process. */
  public CompletableFuture<Boolean> validate(Object data, String id, String minToken) {
    return Futures.map(validate("validate", data, id, minToken), ValidationResult::valid);
  }

  /** Why data is valid or not, with the location of each error. */
  public CompletableFuture<ValidationResult> explainValidation(Object data, String id) {
    return validate("explain_validation", data, id, null);
  }

  /** Always asks the registry, even if the data could be validated locally. POST /schemas/{id}/validate. */
  public CompletableFuture<ValidationResult> validateRemotely(Object data, String id) {
    return validateRemotely("validate", toNode(data), id);
  }

  /** Validates several data against one schema, in their order. */
  public CompletableFuture<List<ValidationResult>> validateBatch(Collection<?> items, String id) {
    CompletableFuture<List<ValidationResult>> results = CompletableFuture.completedFuture(new ArrayList<>());
    for (Object item : items) {
      results =
          Futures.flatMap(
              results,
              done ->
                  Futures.map(
                      validate("validate_batch", item, id, null),
                      result -> {
                        done.add(result);
                        return done;
                      }));
    }
    return results;
  }

  /** Whether a schema may become the subject's next version. POST /compatibility/check. */
  public CompletableFuture<Boolean> checkCompatibility(String subject, Schema schema) {
    return Futures.map(explainCompatibility(subject, schema), Verdict::compatible);
  }

  /** What a schema would break as the subject's next version, with data that shows it. */
  public CompletableFuture<Verdict> explainCompatibility(String subject, Schema schema) {
    return ask(new Operation("check_compatibility", "POST", "/compatibility/check").json(bytes(describe(subject, schema))), Verdict::ofJson);
  }

  /** Searches names, documentation and schema texts. POST /search. */
  public Pages<SearchHit> search(SearchRequest request) {
    return pages(
        cursor -> {
          ObjectNode body = MAPPER.createObjectNode().put("query", request.query);
          body.set("filters", MAPPER.valueToTree(request.filters));
          if (cursor != null) {
            body.put("cursor", cursor);
          }
          Operation.TokenUse token = request.consistent ? Operation.TokenUse.WROTE : Operation.TokenUse.NONE;
          return new Operation("search", "POST", "/search").json(bytes(body)).token(token);
        },
        SearchHit::ofJson);
  }

  /** Lists subjects by name. GET /subjects. */
  public Pages<SubjectSummary> listSubjects(ListRequest request) {
    return pages(
        cursor -> new Operation("list_subjects", "GET", "/subjects").query("prefix", request.prefix).query("context", options.context).query("cursor", cursor),
        SubjectSummary::ofJson);
  }

  /** Lists a subject's versions, oldest first. GET /subjects/{s}/versions. */
  public Pages<SchemaRecord> listVersions(String subject) {
    String path = "/subjects/" + Names.encode(qualified(subject)) + "/versions";
    return pages(cursor -> new Operation("list_versions", "GET", path).query("cursor", cursor), SchemaRecord::ofJson);
  }

  /** Changes a version's attributes or lifecycle state, never its content. PATCH /schemas/{id}. */
  public CompletableFuture<SchemaRecord> update(String id, Change change) {
    Operation operation = new Operation("update_schema", "PATCH", "/schemas/" + Names.encode(id));
    return changed(operation.json(bytes(MAPPER.valueToTree(change.members))).header("If-Match", change.ifMatch).writesOnce(null));
  }

  /** Deletes a version; {@link #undelete} brings it back. DELETE /schemas/{id}. */
  public CompletableFuture<Void> delete(String id) {
    return delete(id, false);
  }

  /** Deletes a deleted version for good. DELETE /schemas/{id}?permanent=true. */
  public CompletableFuture<Void> deletePermanently(String id) {
    return delete(id, true);
  }

  /** Brings a deleted version back, with its number and ids. POST /schemas/{id}/undelete. */
  public CompletableFuture<SchemaRecord> undelete(String id) {
    return changed(new Operation("undelete_schema", "POST", "/schemas/" + Names.encode(id) + "/undelete").writesOnce(null));
  }

  /** Rewrites a schema for a model provider. GET /schemas/{id}/project/{profile}. */
  public CompletableFuture<Projection> project(String id, String profile) {
    String path = "/schemas/" + Names.encode(id) + "/project/" + Names.encode(profile);
    return ask(new Operation("project_schema", "GET", path), Projection::ofJson);
  }

  /** Turns a model's answer, its text or its value, back into data of the original schema, and validates it. POST /decode-answer. */
  public CompletableFuture<List<DecodedAnswer>> decode(String id, String profile, Object answer) {
    ObjectNode body = MAPPER.createObjectNode().put("id", id).put("profile", profile);
    body.set("answer", MAPPER.valueToTree(answer));
    Operation operation = new Operation("decode_answer", "POST", "/decode-answer").json(bytes(body));
    return Futures.map(call(operation), given -> items(readTree(given).path("answers"), DecodedAnswer::ofJson));
  }

  /** Whether the registry answers: "ok". GET /health. */
  public CompletableFuture<String> health() {
    Operation operation = new Operation("health", "GET", "/health").token(Operation.TokenUse.NONE);
    return Futures.map(call(operation), answer -> readTree(answer).path("status").asText());
  }

  /** Streams every change in order, without end. GET /events. */
  public EventStream events(EventRequest request) {
    return new EventStream(settings, request);
  }

  /** Clears the cache. */
  public void clearCache() {
    cache.clear();
  }

  /** Clears the part of the cache that belongs to one subject. */
  public void clearCache(String subject) {
    cache.forgetSubject(qualified(subject));
  }

  /** Counts of the cache, and the state of the breaker and the tokens. */
  public Map<String, Object> cacheStats() {
    Map<String, Object> stats = new LinkedHashMap<>(cache.stats());
    stats.put("breaker", settings.breaker.state());
    stats.put("token_seen", settings.tokens.seen() == null ? null : settings.tokens.seen().text());
    stats.put("token_unreadable", settings.tokens.unreadable());
    return stats;
  }

  /** Releases the cache. Connections end with the HTTP client, which has daemon threads only. */
  @Override
  public void close() {
    cache.clear();
  }

  private CompletableFuture<Void> delete(String id, boolean permanent) {
    SchemaRecord known = (SchemaRecord) cache.value(key("record", id));
    Operation operation = new Operation("delete_schema", "DELETE", "/schemas/" + Names.encode(id)).query("permanent", permanent ? "true" : null);
    return Futures.map(
        call(operation.writesOnce(null)),
        answer -> {
          // The subject is known only if the record was read before; otherwise every head entry is removed.
          if (known == null) {
            cache.clear();
          } else {
            cache.forgetSubject(Names.qualify(known.context(), known.subject()));
          }
          if (permanent) {
            cache.remove(key("content", id));
          }
          return null;
        });
  }

  private CompletableFuture<SchemaRecord> changed(Operation operation) {
    return Futures.map(
        call(operation),
        answer -> {
          SchemaRecord record;
          try {
            record = parse(answer, SchemaRecord::ofJson);
          } catch (BadAnswerException e) {
            // Only the answer names the subject that changed.
            cache.clear();
            throw e;
          }
          cache.forgetSubject(Names.qualify(record.context(), record.subject()));
          cache.remove(key("record", record.id()));
          return record;
        });
  }

  private CompletableFuture<ValidationResult> validate(String name, Object data, String id, String minToken) {
    JsonNode node = toNode(data);
    Read read = new Read(key("content", id), contentOperation(name, id), true, Reader::contentLifetime, SchemaContent::ofJson, content -> null);
    return Futures.flatMap(
        read(read, minToken),
        answer ->
            Futures.flatMap(
                validator(name, id, (SchemaContent) answer.value),
                validator -> {
                  String result = validator.map(local -> local.validate(node)).orElse(null);
                  return result == null ? validateRemotely(name, node, id) : CompletableFuture.completedFuture(ValidationResult.ofJson(result, answer.stale));
                }));
  }

  private CompletableFuture<ValidationResult> validateRemotely(String name, JsonNode data, String id) {
    ObjectNode body = MAPPER.createObjectNode();
    body.set("data", data);
    Operation operation = new Operation(name, "POST", "/schemas/" + Names.encode(id) + "/validate").json(bytes(body));
    return ask(operation, json -> ValidationResult.ofJson(json, false));
  }

  /** A validator is built once per content and evicted with it; a caller that cancels does not affect others, and a failure is not kept. */
  private CompletableFuture<Optional<LocalValidator>> validator(String name, String id, SchemaContent content) {
    CompletableFuture<Optional<LocalValidator>> validator;
    synchronized (validators) {
      validator = validators.get(content);
      if (validator == null || validator.isCompletedExceptionally()) {
        validator = readBundled(name, id, content).thenApply(bundled -> bundled.map(SchemaRegistry::prepare));
        validators.put(content, validator);
      }
    }
    return validator.copy();
  }

  /**
   * The content with its references inlined by the registry, or nothing if that is impossible. The registry inlines
   * them, because names and bare subjects resolve relative to the referring schema.
   */
  private CompletableFuture<Optional<SchemaContent>> readBundled(String name, String id, SchemaContent content) {
    if (!"json-schema".equals(content.format())) {
      return CompletableFuture.completedFuture(Optional.empty());
    }
    if (content.references().isEmpty()) {
      return CompletableFuture.completedFuture(Optional.of(content));
    }
    return ask(contentOperation(name, id).query("bundle", "true"), SchemaContent::ofJson)
        .handle(
            (bundled, error) -> {
              Throwable cause = error instanceof CompletionException ? error.getCause() : error;
              if (cause instanceof ApiException && ((ApiException) cause).status() == UNPROCESSABLE) {
                return Optional.<SchemaContent>empty();
              }
              if (error != null) {
                throw error instanceof CompletionException ? (CompletionException) error : new CompletionException(error);
              }
              return Optional.of(bundled);
            });
  }

  private static LocalValidator prepare(SchemaContent content) {
    return LocalValidator.prepare(content.dialect(), schemaText(content.json("content")));
  }

  private static Operation contentOperation(String name, String id) {
    return new Operation(name, "GET", "/schemas/" + Names.encode(id) + "/content");
  }

  /** A schema's text, also of one that was registered as a JSON string. */
  private static String schemaText(String json) {
    try {
      JsonNode node = MAPPER.readTree(json);
      return node.isTextual() ? node.asText() : json;
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private CompletableFuture<ReadAnswer> read(Read read, String minToken) {
    Token token = Token.parse(minToken);
    if (minToken != null && token == null) {
      throw new ConfigurationException("The token is not one; expected <epoch>.<seq>.<seq of the last hard delete>.");
    }
    long began = settings.clock.monotonicNanos();
    return reported(reader.read(read, token), (given, error) -> report(read.operation().name(), began, given == null ? 0 : given.attempts, given == null ? null : given.source, error));
  }

  private CompletableFuture<Answer> call(Operation operation) {
    long began = settings.clock.monotonicNanos();
    return reported(reader.call(operation), (given, error) -> report(operation.name(), began, given == null ? 0 : given.attempts, given == null ? null : "network", error));
  }

  /** Completes once the call was reported. */
  private static <T> CompletableFuture<T> reported(CompletableFuture<T> source, BiConsumer<T, Throwable> report) {
    CompletableFuture<T> result = source.whenComplete(report);
    result.whenComplete(
        (value, error) -> {
          if (result.isCancelled()) {
            source.cancel(true);
          }
        });
    return result;
  }

  private <T> CompletableFuture<T> ask(Operation operation, Function<String, T> parse) {
    return Futures.map(call(operation), answer -> parse(answer, parse));
  }

  private <T> Pages<T> pages(Function<String, Operation> operation, Function<String, T> parse) {
    return new Pages<>(
        cursor -> {
          JsonNode page = readTree(BlockingSchemaRegistry.get(call(operation.apply(cursor))));
          return new Pages.Page<>(items(page.path("items"), parse), page.hasNonNull("next_cursor") ? page.get("next_cursor").asText() : null);
        });
  }

  private static <T> List<T> items(JsonNode array, Function<String, T> parse) {
    List<T> items = new ArrayList<>();
    array.forEach(item -> items.add(parse.apply(item.toString())));
    return items;
  }

  private static <T> T parse(Answer answer, Function<String, T> parse) {
    try {
      return parse.apply(answer.text);
    } catch (IllegalArgumentException e) {
      throw new BadAnswerException(answer.status, "The answer's body is not JSON.", answer.attempts, e);
    }
  }

  private static JsonNode readTree(Answer answer) {
    try {
      return MAPPER.readTree(answer.text);
    } catch (JsonProcessingException e) {
      throw new BadAnswerException(answer.status, "The answer's body is not JSON.", answer.attempts, e);
    }
  }

  private ObjectNode describe(String subject, Schema schema) {
    ObjectNode body = MAPPER.createObjectNode().put("subject", qualified(subject)).put("format", schema.format());
    if (schema.format().equals("protobuf")) {
      return body.put("content", schema.text());
    }
    try {
      body.set("content", MAPPER.readTree(schema.text()));
    } catch (JsonProcessingException e) {
      // The registry says what is wrong with it, and where.
      body.put("content", schema.text());
    }
    return body;
  }

  private static JsonNode toNode(Object data) {
    try {
      return data instanceof String ? MAPPER.readTree((String) data) : MAPPER.valueToTree(data);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("The data is not JSON text.", e);
    }
  }

  private static byte[] bytes(JsonNode body) {
    try {
      return MAPPER.writeValueAsBytes(body);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private String qualified(String subject) {
    return Names.qualify(Names.split(subject, options.context));
  }

  private static String subjectOf(Object record) {
    return Names.qualify(((SchemaRecord) record).context(), ((SchemaRecord) record).subject());
  }

  /** The JSON text of an array, so that no two names collide. */
  private static String key(String... parts) {
    return MAPPER.valueToTree(parts).toString();
  }

  private void report(String operation, long began, int attempts, String source, Throwable error) {
    Throwable cause = error instanceof CompletionException ? error.getCause() : error;
    String code = error == null ? null : cause instanceof RegistryException ? ((RegistryException) cause).code() : "cancelled";
    int made = cause instanceof RegistryException ? ((RegistryException) cause).attempts() : attempts;
    Duration duration = Duration.ofNanos(settings.clock.monotonicNanos() - began);
    emit(new ClientEvent("call", operation, made, 0, code, duration, Duration.ZERO, source, settings.breaker.state()));
  }

  private void emit(ClientEvent event) {
    try {
      options.onEvent.accept(event);
    } catch (RuntimeException e) {
      options.debug.accept("The metrics hook threw; it is ignored.");
    }
  }
}
