package com.llm.schemaregistry.internal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.llm.schemaregistry.ClientEvent;
import com.llm.schemaregistry.errors.ApiException;
import com.llm.schemaregistry.errors.BadAnswerException;
import com.llm.schemaregistry.errors.CircuitOpenException;
import com.llm.schemaregistry.errors.ConnectionLostException;
import com.llm.schemaregistry.errors.DeadlineExceededException;
import com.llm.schemaregistry.errors.RegistryException;
import com.llm.schemaregistry.model.Problem;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import javax.net.ssl.SSLHandshakeException;

/** One logical call: attempts, waits, the deadline, the breaker and the tokens. */
final class Call {
  /** 409 is a verdict, and 500 a fault that a retry would meet again; neither is retried. */
  private static final Set<Integer> RETRIED = Set.of(429, 502, 503, 504);

  private static final Set<Integer> RETRIED_WITHOUT_KEY = Set.of(429, 503);

  /** Codes of 503 answers that come from the registry itself, which shows that it is up. */
  private static final Set<String> LIVE_503 = Set.of("not_ready", "busy", "rate_limited");

  /** Headers whose values a log may hold. Everything else may be a secret. */
  private static final List<String> LOGGED = List.of("X-Request-ID", "X-Registry-Min-Seq", "If-None-Match", "User-Agent");

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Settings settings;
  private final Operation operation;
  private final boolean hasStandIn;
  private final int maxAttempts;
  private final Duration attemptTimeout;
  private final boolean mayRepeat;
  private final HttpRequest.Builder request;
  private final HttpRequest template;
  private final long deadline;
  private final CompletableFuture<Answer> outcome = new CompletableFuture<>();
  private volatile Future<?> running;
  private RegistryException last;

  private Call(Settings settings, Operation operation, Token minToken, boolean hasStandIn) {
    this.settings = settings;
    this.operation = operation;
    this.hasStandIn = hasStandIn;
    this.maxAttempts = hasStandIn ? 1 : settings.maxAttempts;
    this.attemptTimeout = hasStandIn ? Limits.STALE_ATTEMPT_TIMEOUT : settings.attemptTimeout;
    this.mayRepeat = operation.takesKey || !operation.writes;
    this.request = build(minToken);
    this.template = request.build();
    this.deadline = settings.clock.monotonicNanos() + settings.timeout.toNanos();
  }

  /** Cancelling the future stops the call, its waits, and the exchange where the JDK can. */
  static CompletableFuture<Answer> run(Settings settings, Operation operation, Token minToken, boolean hasStandIn) {
    Call call = new Call(settings, operation, minToken, hasStandIn);
    call.outcome.whenComplete(
        (answer, error) -> {
          Future<?> current = call.running;
          if (call.outcome.isCancelled() && current != null) {
            current.cancel(true);
          }
        });
    call.attempt(1);
    return call.outcome;
  }

  private void attempt(int number) {
    if (outcome.isDone()) {
      return;
    }
    long began = settings.clock.monotonicNanos();
    long left = deadline - began;
    if (left <= 0) {
      fail(last != null ? last : new DeadlineExceededException(settings.timeout, number - 1));
      return;
    }
    long admitted = settings.breaker.admit(began);
    if (admitted < 0) {
      fail(last != null ? last : new CircuitOpenException(Duration.ofMillis((-admitted + 999_999) / 1_000_000), number - 1));
      return;
    }
    Duration timeout = Duration.ofNanos(Math.min(attemptTimeout.toNanos(), left));
    CompletableFuture<HttpResponse<String>> sent;
    try {
      sent = settings.http.sendAsync(request.copy().timeout(timeout).build(), HttpResponse.BodyHandlers.ofString());
    } catch (RuntimeException e) {
      sent = CompletableFuture.failedFuture(e);
    }
    running = sent;
    // The timeout of an HttpRequest ends with the headers; this one also limits a slow body.
    CompletableFuture<HttpResponse<String>> bounded = sent.copy().orTimeout(timeout.toNanos(), TimeUnit.NANOSECONDS);
    CompletableFuture<HttpResponse<String>> exchange = sent;
    bounded.whenCompleteAsync(
        (response, error) -> {
          if (error != null) {
            exchange.cancel(true);
          }
          finish(number, began, left, timeout, admitted, response, unwrap(error));
        },
        settings.executor);
  }

  private void finish(int number, long began, long left, Duration timeout, long admitted, HttpResponse<String> response, Throwable lost) {
    long now = settings.clock.monotonicNanos();
    if (outcome.isCancelled()) {
      settings.breaker.report(admitted, Breaker.Outcome.SILENT, now);
      return;
    }
    boolean timedOut = isTimeout(lost);
    Problem problem = response == null ? null : readProblem(response);
    Breaker.Outcome alive = hasStandIn && timedOut ? Breaker.Outcome.SILENT : judgeOutcome(response, problem, lost);
    settings.breaker.report(admitted, alive, now);
    Judged judged = response == null ? judgeLost(number, lost) : judge(number, response, problem);
    boolean goesOn = judged.error != null && number < maxAttempts && judged.isRetried && !settings.breaker.state().equals("open");
    Duration pause = goesOn ? judged.retryAfter.plus(Limits.jitter(number, settings.random.getAsDouble(), Limits.LONGEST_WAIT_MS)) : Duration.ZERO;
    report(number, Duration.ofNanos(now - began), response, judged, pause);
    if (judged.error == null) {
      outcome.complete(judged.answer);
      return;
    }
    last = timedOut && timeout.toNanos() >= left ? new DeadlineExceededException(settings.timeout, number) : judged.error;
    if (!goesOn || pause.toNanos() >= deadline - settings.clock.monotonicNanos()) {
      fail(last);
      return;
    }
    CompletableFuture<Void> wait = settings.clock.sleep(pause).toCompletableFuture();
    running = wait;
    wait.whenCompleteAsync((done, error) -> attempt(number + 1), settings.executor);
  }

  private void fail(RegistryException error) {
    outcome.completeExceptionally(error);
  }

  private static final class Judged {
    Answer answer;
    RegistryException error;
    boolean isRetried;
    Duration retryAfter = Duration.ZERO;
  }

  private Judged judgeLost(int number, Throwable lost) {
    boolean isSent = !(lost instanceof ConnectException || lost instanceof HttpConnectTimeoutException || lost instanceof UnresolvedAddressException);
    boolean isHopeless = lost instanceof SSLHandshakeException || lost instanceof IllegalArgumentException;
    Judged judged = new Judged();
    judged.error = new ConnectionLostException(isSent && !isHopeless, number, lost);
    judged.isRetried = !isHopeless && (mayRepeat || !isSent);
    return judged;
  }

  private Judged judge(int number, HttpResponse<String> response, Problem problem) {
    int status = response.statusCode();
    Token token = null;
    if (operation.token != Operation.TokenUse.NONE) {
      token = settings.tokens.learn(header(response, "X-Registry-Seq"), operation.writes && status < 400);
    }
    Judged judged = new Judged();
    if (status == 304 || (status >= 200 && status < 300)) {
      judged.answer = new Answer(status, response.headers(), response.body(), token, number);
      return judged;
    }
    if (status < 400) {
      String message = "The answer has status " + status + "; redirects are not followed, for they would carry the key.";
      judged.error = new BadAnswerException(status, message, number, null);
      return judged;
    }
    Duration retryAfter = Limits.parseRetryAfter(header(response, "Retry-After"), settings.clock.wall());
    judged.error = ApiException.of(new ApiException.Refusal(status, problem, header(response, "X-Request-ID"), retryAfter, number));
    judged.isRetried = (mayRepeat ? RETRIED : RETRIED_WITHOUT_KEY).contains(status);
    judged.retryAfter = retryAfter == null ? Duration.ZERO : retryAfter;
    return judged;
  }

  /** A failure only if the registry itself did not answer; anything else shows that it is up. */
  private static Breaker.Outcome judgeOutcome(HttpResponse<String> response, Problem problem, Throwable lost) {
    if (response == null) {
      return lost instanceof SSLHandshakeException || lost instanceof IllegalArgumentException ? Breaker.Outcome.SILENT : Breaker.Outcome.FAILED;
    }
    int status = response.statusCode();
    boolean isGateway = status == 502 || status == 504 || (status == 503 && (problem == null || !LIVE_503.contains(problem.code())));
    return isGateway ? Breaker.Outcome.FAILED : Breaker.Outcome.ALIVE;
  }

  private static boolean isTimeout(Throwable lost) {
    return lost instanceof TimeoutException || (lost instanceof HttpTimeoutException && !(lost instanceof HttpConnectTimeoutException));
  }

  private static Throwable unwrap(Throwable error) {
    Throwable cause = error;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    for (Throwable below = cause; below != null; below = below.getCause()) {
      if (below instanceof ConnectException || below instanceof SSLHandshakeException || below instanceof UnresolvedAddressException) {
        return below;
      }
    }
    return cause;
  }

  private static Problem readProblem(HttpResponse<String> response) {
    String type = header(response, "Content-Type");
    if (response.statusCode() < 400 || type == null || !type.contains("json")) {
      return null;
    }
    try {
      JsonNode document = MAPPER.readTree(response.body());
      return document.path("code").isTextual() ? Problem.ofJson(response.body()) : null;
    } catch (IOException e) {
      return null;
    }
  }

  private static String header(HttpResponse<String> response, String name) {
    return response.headers().firstValue(name).orElse(null);
  }

  private HttpRequest.Builder build(Token minToken) {
    String query =
        operation.query.entrySet().stream()
            .map(parameter -> parameter.getKey() + "=" + URLEncoder.encode(parameter.getValue(), StandardCharsets.UTF_8))
            .collect(Collectors.joining("&"));
    HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(settings.baseUrl + "/api/v1" + operation.path + (query.isEmpty() ? "" : "?" + query)));
    for (Map<String, String> headers : List.of(settings.headers, operation.headers)) {
      headers.forEach(builder::setHeader);
    }
    builder.setHeader("X-Request-ID", UUID.randomUUID().toString());
    if (operation.takesKey) {
      builder.setHeader("Idempotency-Key", operation.idempotencyKey == null ? "auto-" + UUID.randomUUID() : operation.idempotencyKey);
    }
    if (operation.token != Operation.TokenUse.NONE) {
      Token held = operation.token == Operation.TokenUse.WROTE ? settings.tokens.wrote() : settings.tokens.seen();
      Token token = Token.newest(held, minToken);
      if (token != null) {
        builder.setHeader("X-Registry-Min-Seq", token.text());
      }
    }
    if (operation.body == null) {
      return builder.method(operation.method, HttpRequest.BodyPublishers.noBody());
    }
    builder.setHeader("Content-Type", "application/json");
    return builder.method(operation.method, HttpRequest.BodyPublishers.ofByteArray(operation.body));
  }

  private void report(int number, Duration duration, HttpResponse<String> response, Judged judged, Duration pause) {
    int status = response == null ? 0 : response.statusCode();
    String code = judged.error == null ? null : judged.error.code();
    settings.emit.accept(new ClientEvent("attempt", operation.name, number, status, code, duration, pause, "network", settings.breaker.state()));
    StringBuilder line = new StringBuilder();
    line.append(operation.method).append(" /api/v1").append(operation.path).append(' ').append(status == 0 ? code : String.valueOf(status));
    line.append(' ').append(duration.toMillis()).append("ms attempt=").append(number);
    for (String name : LOGGED) {
      template.headers().firstValue(name).ifPresent(value -> line.append(' ').append(name).append('=').append(value));
    }
    settings.debug.accept(line.toString());
  }
}
