package com.llm.schemaregistry.errors;

import com.llm.schemaregistry.model.Problem;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** An error response of the registry. */
public class ApiException extends RegistryException {
  private static final long serialVersionUID = 1L;

  private interface Constructor {
    ApiException create(Refusal refusal);
  }

  private static final Map<String, Constructor> BY_CODE =
      Map.ofEntries(
          Map.entry("bad_request", BadRequestException::new),
          Map.entry("unauthorized", UnauthorizedException::new),
          Map.entry("forbidden", ForbiddenException::new),
          Map.entry("not_found", NotFoundException::new),
          Map.entry("conflict", ConflictException::new),
          Map.entry("version_exists", VersionExistsException::new),
          Map.entry("protected", ProtectedException::new),
          Map.entry("frozen", FrozenException::new),
          Map.entry("incompatible_schema", IncompatibleSchemaException::new),
          Map.entry("precondition_failed", PreconditionFailedException::new),
          Map.entry("precondition_required", PreconditionFailedException::new),
          Map.entry("invalid_schema", InvalidSchemaException::new),
          Map.entry("unsupported", InvalidSchemaException::new),
          Map.entry("too_complex", TooComplexException::new),
          Map.entry("payload_too_large", PayloadTooLargeException::new),
          Map.entry("rate_limited", RateLimitedException::new),
          Map.entry("not_ready", UnavailableException::new),
          Map.entry("busy", UnavailableException::new),
          Map.entry("storage_full", StorageFullException::new),
          Map.entry("internal", ServerErrorException::new));

  private final transient Refusal refusal;

  /** What was refused, and how. */
  public static final class Refusal {
    final int status;
    final Problem problem;
    final String requestId;
    final Duration retryAfter;
    final int attempts;

    public Refusal(int status, Problem problem, String requestId, Duration retryAfter, int attempts) {
      this.status = status;
      this.problem = problem;
      this.requestId = requestId;
      this.retryAfter = retryAfter;
      this.attempts = attempts;
    }

    String code() {
      return problem == null ? "http_" + status : problem.code();
    }

    String detail() {
      return problem == null ? "The answer has status " + status + " and no problem document." : problem.detail();
    }
  }

  ApiException(Refusal refusal) {
    super(refusal.code(), message(refusal), refusal.attempts, null);
    this.refusal = refusal;
  }

  /** The exception for a refusal: by the problem's code, or by what a gateway answered. */
  public static ApiException of(Refusal refusal) {
    if (refusal.problem != null) {
      return BY_CODE.getOrDefault(refusal.code(), ApiException::new).create(refusal);
    }
    switch (refusal.status) {
      case 429:
        return new RateLimitedException(refusal);
      case 500:
        return new ServerErrorException(refusal);
      case 502:
      case 503:
      case 504:
        return new UnavailableException(refusal);
      default:
        return new ApiException(refusal);
    }
  }

  private static String message(Refusal refusal) {
    String request = refusal.requestId == null ? "" : " (request " + refusal.requestId + ")";
    return refusal.code() + ": " + refusal.detail() + request;
  }

  public int status() {
    return refusal.status;
  }

  public String detail() {
    return refusal.detail();
  }

  /** The whole problem document; empty if a gateway answered. */
  public Optional<Problem> problem() {
    return Optional.ofNullable(refusal.problem);
  }

  public Optional<String> requestId() {
    return Optional.ofNullable(refusal.requestId);
  }

  /** What the registry asks to wait. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(refusal.retryAfter);
  }
}
