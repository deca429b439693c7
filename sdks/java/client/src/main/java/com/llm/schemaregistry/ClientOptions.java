package com.llm.schemaregistry;

import com.llm.schemaregistry.errors.ConfigurationException;
import com.llm.schemaregistry.internal.Limits;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;

/** How a client behaves. */
public final class ClientOptions {
  static final String VERSION = "0.1.0";

  private final String url;
  private String apiKey;
  private String app;
  private HttpClient http;
  private Executor executor;
  String context;
  Duration timeout = Limits.CALL_TIMEOUT;
  Duration attemptTimeout = Limits.ATTEMPT_TIMEOUT;
  int maxAttempts = Limits.MAX_ATTEMPTS;
  int maxCacheEntries = Limits.MAX_CACHE_ENTRIES;
  long maxCacheBytes = Limits.MAX_CACHE_BYTES;
  Duration headLifetime = Limits.HEAD_LIFETIME;
  Duration staleLifetime = Limits.STALE_LIFETIME;
  int breakerFailures = Limits.BREAKER_FAILURES;
  Duration breakerOpen = Limits.BREAKER_OPEN;
  Clock clock = Clock.system();
  DoubleSupplier random = () -> ThreadLocalRandom.current().nextDouble();
  Consumer<ClientEvent> onEvent = event -> {};
  Consumer<String> debug = line -> {};

  ClientOptions(String url) {
    this.url = url;
  }

  public ClientOptions apiKey(String key) {
    this.apiKey = key;
    return this;
  }

  /** The context of bare subject names. */
  public ClientOptions context(String name) {
    this.context = name;
    return this;
  }

  /** For a whole call: attempts, waits and bodies. 30 s. */
  public ClientOptions timeout(Duration limit) {
    this.timeout = limit;
    return this;
  }

  /** For one attempt. 12 s. */
  public ClientOptions attemptTimeout(Duration limit) {
    this.attemptTimeout = limit;
    return this;
  }

  /** 3; 1 asks once. */
  public ClientOptions maxAttempts(int attempts) {
    this.maxAttempts = attempts;
    return this;
  }

  /** 1,000 answers and 64 MiB; 0 answers keep nothing. */
  public ClientOptions cacheSize(int entries, long bytes) {
    this.maxCacheEntries = entries;
    this.maxCacheBytes = bytes;
    return this;
  }

  /** How long latest and ranges may be kept: 1 min, at most 5. */
  public ClientOptions headLifetime(Duration lifetime) {
    this.headLifetime = lifetime;
    return this;
  }

  /** The maximum age of an expired entry that is served while the registry is unreachable: 24 h; zero serves none. */
  public ClientOptions staleLifetime(Duration lifetime) {
    this.staleLifetime = lifetime;
    return this;
  }

  /** After how many failed attempts in a row the client stops asking, and for how long: 5, 30 s. */
  public ClientOptions breaker(int failures, Duration open) {
    this.breakerFailures = failures;
    this.breakerOpen = open;
    return this;
  }

  /** Your program's name and version, for the registry's logs: billing/2.1. */
  public ClientOptions app(String name) {
    this.app = name;
    return this;
  }

  /** It must not follow redirects: they would carry the key. */
  public ClientOptions httpClient(HttpClient client) {
    this.http = client;
    return this;
  }

  /** Where futures complete; daemon threads of the client's own otherwise. */
  public ClientOptions executor(Executor ownExecutor) {
    this.executor = ownExecutor;
    return this;
  }

  public ClientOptions clock(Clock ownClock) {
    this.clock = ownClock;
    return this;
  }

  /** Random numbers from [0, 1) for the jitter of waits. */
  public ClientOptions random(DoubleSupplier numbers) {
    this.random = numbers;
    return this;
  }

  /** The metrics hook. What it throws is ignored. */
  public ClientOptions onEvent(Consumer<ClientEvent> hook) {
    this.onEvent = hook;
    return this;
  }

  /** Receives a line for each attempt, without bodies, keys or query values. */
  public ClientOptions debug(Consumer<String> lines) {
    this.debug = lines;
    return this;
  }

  public SchemaRegistry build() {
    return new SchemaRegistry(this);
  }

  void check() {
    URI address = address();
    requireThat(isPositive(timeout) && isPositive(attemptTimeout), "Timeouts are above zero.");
    requireThat(maxAttempts >= 1, "The number of attempts is at least 1.");
    requireThat(maxCacheEntries >= 0 && maxCacheBytes >= 0, "The cache's size is at least 0.");
    requireThat(!headLifetime.isNegative() && headLifetime.compareTo(Limits.LONGEST_HEAD_LIFETIME) <= 0, "The lifetime of heads is at most 5 minutes.");
    boolean isApp = app == null || (app.length() <= Limits.MAX_APP_CHARACTERS && app.chars().allMatch(c -> c >= 0x20 && c <= 0x7e));
    requireThat(isApp, "app is at most 64 printable ASCII characters.");
    if (apiKey != null && "http".equals(address.getScheme()) && !isLoopback(address.getHost())) {
      debug.accept("The key is sent over plain HTTP to a host that is not this machine.");
    }
  }

  String baseUrl() {
    URI address = address();
    String path = address.getRawPath() == null ? "" : address.getRawPath().replaceAll("/+$", "");
    return address.getScheme() + "://" + address.getRawAuthority() + path;
  }

  Map<String, String> headers() {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Accept", "application/json");
    String agent = "llm-schema-registry-java/" + VERSION + " java/" + System.getProperty("java.version") + " (" + system() + "; " + machine() + ")" + (app == null ? "" : " " + app);
    headers.put("User-Agent", agent.substring(0, Math.min(agent.length(), Limits.MAX_USER_AGENT_CHARACTERS)));
    if (apiKey != null) {
      headers.put("Authorization", "Bearer " + apiKey);
    }
    return headers;
  }

  HttpClient http() {
    if (http != null) {
      return http;
    }
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .connectTimeout(Limits.CONNECT_TIMEOUT)
        .followRedirects(HttpClient.Redirect.NEVER)
        .executor(executor())
        .build();
  }

  Executor executor() {
    if (executor == null) {
      ExecutorService daemons =
          Executors.newCachedThreadPool(
              task -> {
                Thread thread = new Thread(task, "schema-registry-client");
                thread.setDaemon(true);
                return thread;
              });
      executor = daemons;
    }
    return executor;
  }

  private URI address() {
    try {
      URI address = URI.create(url);
      if (address.getHost() != null && ("http".equals(address.getScheme()) || "https".equals(address.getScheme()))) {
        return address;
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw new ConfigurationException("The registry's address is not an HTTP URL; expected for example http://localhost:8080.");
  }

  private static void requireThat(boolean holds, String otherwise) {
    if (!holds) {
      throw new ConfigurationException(otherwise);
    }
  }

  private static boolean isPositive(Duration limit) {
    return !limit.isNegative() && !limit.isZero();
  }

  private static boolean isLoopback(String host) {
    return host.equals("localhost") || host.equals("[::1]") || host.startsWith("127.");
  }

  private static String system() {
    String name = System.getProperty("os.name", "").toLowerCase(java.util.Locale.ROOT);
    if (name.startsWith("linux")) {
      return "linux";
    }
    if (name.startsWith("mac")) {
      return "darwin";
    }
    return name.startsWith("windows") ? "windows" : "other";
  }

  private static String machine() {
    String name = System.getProperty("os.arch", "");
    if (name.equals("amd64") || name.equals("x86_64")) {
      return "x86_64";
    }
    return name.equals("aarch64") || name.equals("arm64") ? "aarch64" : "other";
  }
}
