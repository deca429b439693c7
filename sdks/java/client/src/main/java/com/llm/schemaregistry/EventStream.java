package com.llm.schemaregistry;

import com.llm.schemaregistry.errors.ApiException;
import com.llm.schemaregistry.errors.BadAnswerException;
import com.llm.schemaregistry.internal.Limits;
import com.llm.schemaregistry.internal.Settings;
import com.llm.schemaregistry.model.Problem;
import com.llm.schemaregistry.model.RegistryEvent;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Streams every change in order, without end: reconnects after a lost connection, and delivers no event twice. Store an
 * event's seq once it is
 * handled, and pass it as after next time. {@link #hasNext} waits, and is false only after {@link #close}.
 */
public final class EventStream implements Iterator<RegistryEvent>, AutoCloseable {
  private static final Set<Integer> PASSING = Set.of(429, 502, 503, 504);

  /** A problem document has a few hundred bytes. */
  private static final int MAX_REFUSAL_BYTES = 1 << 20;

  private final Settings settings;
  private final EventRequest request;
  private String lastId;
  private long lastSeq;
  private int failures;
  private BufferedReader lines;
  private RegistryEvent next;
  private volatile boolean closed;
  private volatile InputStream body;

  EventStream(Settings settings, EventRequest request) {
    this.settings = settings;
    this.request = request;
    this.lastSeq = request.after == null ? -1 : request.after;
  }

  @Override
  public boolean hasNext() {
    while (next == null && !closed) {
      try {
        if (lines == null) {
          connect();
        }
        RegistryEvent event = read();
        failures = 0;
        lastId = event.id();
        if (event.seq() > lastSeq) {
          lastSeq = event.seq();
          next = event;
        }
      } catch (RefusedForNow e) {
        pause(e.retryAfter);
      } catch (IOException e) {
        pause(Duration.ZERO);
      }
    }
    return next != null;
  }

  @Override
  public RegistryEvent next() {
    if (!hasNext()) {
      throw new NoSuchElementException("The stream is closed.");
    }
    RegistryEvent event = next;
    next = null;
    return event;
  }

  @Override
  public void close() {
    closed = true;
    disconnect();
  }

  private void connect() throws IOException {
    List<String> query = new ArrayList<>();
    if (request.after != null && lastId == null) {
      query.add("after=" + request.after);
    }
    if (!request.subjects.isEmpty()) {
      query.add("subjects=" + URLEncoder.encode(String.join(",", request.subjects), StandardCharsets.UTF_8));
    }
    if (!request.types.isEmpty()) {
      query.add("types=" + URLEncoder.encode(String.join(",", request.types), StandardCharsets.UTF_8));
    }
    HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(settings.baseUrl + "/api/v1/events" + (query.isEmpty() ? "" : "?" + String.join("&", query))));
    settings.headers.forEach(builder::setHeader);
    builder.setHeader("Accept", "text/event-stream").setHeader("X-Request-ID", UUID.randomUUID().toString());
    if (lastId != null) {
      builder.setHeader("Last-Event-ID", lastId);
    }
    HttpResponse<InputStream> response;
    try {
      response = settings.http.send(builder.GET().build(), HttpResponse.BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      closed = true;
      throw new IOException(e);
    }
    body = response.body();
    if (response.statusCode() != 200) {
      refused(response);
    }
    lines = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
  }

  /** Ends the stream, unless the refusal is temporary. */
  private void refused(HttpResponse<InputStream> response) throws IOException {
    int status = response.statusCode();
    if (PASSING.contains(status)) {
      Duration retryAfter = Limits.parseRetryAfter(response.headers().firstValue("Retry-After").orElse(null), settings.clock.wall());
      throw new RefusedForNow(retryAfter == null ? Duration.ZERO : retryAfter);
    }
    String text = "{}";
    try {
      text = new String(watched(settings.attemptTimeout, () -> response.body().readNBytes(MAX_REFUSAL_BYTES)), StandardCharsets.UTF_8);
    } catch (IOException e) {
      // A body that does not end is left out: the status says enough.
    }
    closed = true;
    if (status < 400) {
      throw new BadAnswerException(status, "The answer to an event stream has status " + status + ".", 1, null);
    }
    Problem problem = null;
    try {
      Problem read = Problem.ofJson(text);
      problem = read.code() == null ? null : read;
    } catch (IllegalArgumentException e) {
      // A gateway answered; the status is all there is.
    }
    throw ApiException.of(new ApiException.Refusal(status, problem, response.headers().firstValue("X-Request-ID").orElse(null), null, 1));
  }

  private RegistryEvent read() throws IOException {
    StringBuilder data = new StringBuilder();
    while (true) {
      String line = watched(Limits.EVENT_IDLE, lines::readLine);
      if (line == null) {
        throw new IOException("The stream ended.");
      }
      if (line.startsWith("data:")) {
        data.append(line.startsWith("data: ") ? line.substring(6) : line.substring(5));
      } else if (line.isEmpty() && data.length() > 0) {
        return parse(data.toString());
      }
    }
  }

  private RegistryEvent parse(String text) {
    try {
      return RegistryEvent.ofJson(text);
    } catch (IllegalArgumentException e) {
      // Reading it again would give the same event.
      close();
      throw new BadAnswerException(200, "An event of the stream cannot be read.", 1, e);
    }
  }

  /** Reads, and closes the connection when nothing comes. */
  private <T> T watched(Duration longest, Reading<T> reading) throws IOException {
    CompletableFuture<Void> idle = new CompletableFuture<Void>().completeOnTimeout(null, longest.toMillis(), TimeUnit.MILLISECONDS);
    CompletableFuture<Void> watch = idle.thenRun(this::disconnect);
    try {
      return reading.read();
    } finally {
      idle.cancel(false);
      watch.cancel(false);
    }
  }

  private interface Reading<T> {
    T read() throws IOException;
  }

  /** A temporary refusal. */
  private static final class RefusedForNow extends IOException {
    private static final long serialVersionUID = 1L;
    private final transient Duration retryAfter;

    RefusedForNow(Duration retryAfter) {
      this.retryAfter = retryAfter;
    }
  }

  private void disconnect() {
    InputStream open = body;
    body = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Never shorter than the registry asks for. */
  private void pause(Duration retryAfter) {
    lines = null;
    disconnect();
    if (closed) {
      return;
    }
    failures++;
    Duration wait = Limits.jitter(failures, settings.random.getAsDouble(), Limits.LONGEST_EVENT_WAIT_MS);
    settings.clock.sleep(retryAfter.plus(wait.isZero() ? Duration.ofMillis(50) : wait)).toCompletableFuture().join();
  }
}
