"""One logical call as a generator: it yields what to send and how long to wait, and returns the answer or raises.

The drivers, with and without asyncio, run it over sockets, so that both behave the same.
"""

import json
import logging
import uuid
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Generator, Mapping, Optional, Union
from urllib.parse import urlencode

from ..errors import BadAnswer, CircuitOpen, ConnectionLost, DeadlineExceeded, RegistryError, api_error_class
from .breaker import Breaker, Refused
from .retry import is_retried_status, jitter_ms, parse_retry_after_ms
from .token import Token, Tokens, newest_token, parse_token

logger = logging.getLogger("llm_schema_registry")

_LIVE_503 = frozenset({"not_ready", "busy", "rate_limited"})
"""Codes of 503 answers that come from the registry itself, which shows that it is up."""
_LOGGED_HEADERS = ("X-Request-ID", "X-Registry-Min-Seq", "If-None-Match", "User-Agent")
"""Headers whose values a log may hold. Everything else may be a secret."""


@dataclass(frozen=True)
class Operation:
    """The request that a method makes."""

    name: str
    method: str
    path: str
    """Below /api/v1, its parts percent-encoded."""
    query: Mapping[str, Optional[str]] = field(default_factory=dict)
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    takes_key: bool = False
    writes: bool = False
    token: str = "seen"
    """``seen`` is sent with reads and registrations; search sends ``none``, because its index lags, or ``wrote``."""


@dataclass(frozen=True)
class CallOptions:
    timeout_s: Optional[float] = None
    idempotency_key: Optional[str] = None
    min_token: Optional[str] = None
    request_id: Optional[str] = None


@dataclass(frozen=True)
class Send:
    method: str
    url: str
    headers: Dict[str, str]
    body: Optional[bytes]
    timeout_s: float


@dataclass(frozen=True)
class Sleep:
    ms: float


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Looked up without regard to case."""
    text: str


@dataclass(frozen=True)
class Lost:
    """How an attempt ended without an answer: ``timeout``, ``lost``, or ``hopeless`` where retrying cannot help."""

    kind: str
    may_have_been_sent: bool
    cause: Optional[BaseException] = None


@dataclass(frozen=True)
class CallAnswer:
    status: int
    headers: Mapping[str, str]
    text: str
    token: Optional[Token]
    attempts: int


@dataclass(frozen=True)
class AttemptLimits:
    """Tighter limits while a stale value is available."""

    max_attempts: int
    timeout_s: float


@dataclass(frozen=True)
class ClientEvent:
    """What the metrics hook receives: once for each attempt and once for each call."""

    kind: str
    """``attempt`` or ``call``."""
    operation: str
    attempt: int
    """Counted from 1; for a call, the number of attempts."""
    status: Optional[int]
    code: Optional[str]
    ms: float
    source: Optional[str]
    """``network``, ``cache``, ``revalidated`` or ``stale``."""
    wait_ms: float
    breaker: str


@dataclass
class CallSettings:
    base_url: str
    headers: Dict[str, str]
    timeout_s: float
    attempt_timeout_s: float
    max_attempts: int
    monotonic_ms: Callable[[], float]
    wall_ms: Callable[[], float]
    random: Callable[[], float]
    tokens: Tokens
    breaker: Breaker
    emit: Callable[[ClientEvent], None]


Step = Union[Send, Sleep]
Call = Generator[Step, Union[Answer, Lost, None], CallAnswer]


def run_call(settings: CallSettings, operation: Operation, options: CallOptions, limits: Optional[AttemptLimits] = None) -> Call:
    breaker, monotonic_ms = settings.breaker, settings.monotonic_ms
    timeout_s = min(options.timeout_s or settings.timeout_s, settings.timeout_s)
    deadline_ms = monotonic_ms() + timeout_s * 1000
    max_attempts = limits.max_attempts if limits else settings.max_attempts
    may_repeat = operation.takes_key or not operation.writes
    send = _build_request(settings, operation, options)
    last: Optional[RegistryError] = None
    attempt = 0
    while True:
        attempt += 1
        began_ms = monotonic_ms()
        left_s = (deadline_ms - began_ms) / 1000
        if left_s <= 0:
            raise last or DeadlineExceeded(f"The call did not end within {timeout_s:g} s.", attempts=attempt - 1)
        permit = breaker.admit(began_ms)
        if isinstance(permit, Refused):
            raise last or CircuitOpen(permit.retry_after_ms, attempt - 1)
        attempt_s = min(limits.timeout_s if limits else settings.attempt_timeout_s, left_s)
        try:
            result = yield Send(send.method, send.url, send.headers, send.body, attempt_s)
        except BaseException:
            breaker.report(permit, "none", monotonic_ms())
            raise
        assert result is not None
        timed_out = isinstance(result, Lost) and result.kind == "timeout"
        problem = _read_problem(result) if isinstance(result, Answer) else None
        outcome = "none" if limits and timed_out else _judge_outcome(result, problem)
        breaker.report(permit, outcome, monotonic_ms())
        judged = _judge(settings, operation, result, problem, attempt)
        status = result.status if isinstance(result, Answer) else None
        if not isinstance(judged, _Failed):
            _report(settings, operation, send, attempt=attempt, began_ms=began_ms, status=status, code=None, wait_ms=0)
            return judged
        goes_on = attempt < max_attempts and judged.is_retried(may_repeat) and breaker.state != "open"
        wait_ms = judged.wait_after_ms + jitter_ms(attempt, settings.random()) if goes_on else 0
        code = judged.error.code
        _report(settings, operation, send, attempt=attempt, began_ms=began_ms, status=status, code=code, wait_ms=wait_ms)
        last = judged.error
        if timed_out and attempt_s >= left_s:
            last = DeadlineExceeded(f"The call did not end within {timeout_s:g} s.", attempts=attempt)
        if not goes_on or wait_ms >= deadline_ms - monotonic_ms():
            raise last
        yield Sleep(wait_ms)


@dataclass(frozen=True)
class _Failed:
    error: RegistryError
    wait_after_ms: float
    status: Optional[int]
    lost: Optional[Lost]

    def is_retried(self, may_repeat: bool) -> bool:
        if self.lost is not None:
            return self.lost.kind != "hopeless" and (may_repeat or not self.lost.may_have_been_sent)
        return self.status is not None and self.status >= 400 and is_retried_status(self.status, may_repeat)


def _judge_outcome(result: Union[Answer, Lost], problem: Optional[Mapping[str, Any]]) -> str:
    """A failure only if the registry itself did not answer; anything else shows that it is up."""
    if isinstance(result, Lost):
        return "none" if result.kind == "hopeless" else "failed"
    if result.status in (502, 504) or (result.status == 503 and (problem or {}).get("code") not in _LIVE_503):
        return "failed"
    return "alive"


def _judge(
    settings: CallSettings, operation: Operation, result: Union[Answer, Lost], problem: Optional[Mapping[str, Any]], attempts: int
) -> Union[CallAnswer, _Failed]:
    if isinstance(result, Lost):
        message = "The registry did not answer in time." if result.kind == "timeout" else "The connection to the registry failed."
        error: RegistryError = ConnectionLost(message, may_have_been_sent=result.may_have_been_sent, attempts=attempts)
        error.__cause__ = result.cause
        return _Failed(error, 0, None, result)
    status, headers = result.status, result.headers
    token = None
    if operation.token != "none":
        token = settings.tokens.learn(headers.get("X-Registry-Seq"), write=operation.writes and status < 400)
    if status == 304 or 200 <= status < 300:
        return CallAnswer(status, headers, result.text, token, attempts)
    if status < 400:
        message = f"The answer has status {status}; redirects are not followed, for they would carry the key."
        return _Failed(BadAnswer(status, message, attempts), 0, status, None)
    retry_after_ms = parse_retry_after_ms(headers.get("Retry-After"), settings.wall_ms())
    error_class = api_error_class(str(problem["code"]) if problem else None, status)
    error = error_class(
        status=status, problem=problem, request_id=headers.get("X-Request-ID"), retry_after_ms=retry_after_ms, attempts=attempts
    )
    return _Failed(error, retry_after_ms or 0, status, None)


def _read_problem(answer: Answer) -> Optional[Mapping[str, Any]]:
    if answer.status < 400 or "json" not in (answer.headers.get("Content-Type") or ""):
        return None
    try:
        document = json.loads(answer.text)
    except ValueError:
        return None
    return document if isinstance(document, dict) and isinstance(document.get("code"), str) else None


def _build_request(settings: CallSettings, operation: Operation, options: CallOptions) -> Send:
    query = urlencode({name: value for name, value in operation.query.items() if value is not None})
    headers = {**settings.headers, **operation.headers}
    headers["X-Request-ID"] = options.request_id or str(uuid.uuid4())
    if operation.takes_key:
        headers["Idempotency-Key"] = options.idempotency_key or f"auto-{uuid.uuid4()}"
    token = _token_to_send(settings.tokens, operation, options)
    if token is not None:
        headers["X-Registry-Min-Seq"] = token.text
    body = None
    if operation.json is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(operation.json, ensure_ascii=False, allow_nan=False).encode("utf-8")
    url = f"{settings.base_url}/api/v1{operation.path}" + (f"?{query}" if query else "")
    return Send(operation.method, url, headers, body, 0)


def _token_to_send(tokens: Tokens, operation: Operation, options: CallOptions) -> Optional[Token]:
    if operation.token == "none":
        return None
    held = tokens.wrote if operation.token == "wrote" else tokens.seen
    given = parse_token(options.min_token)
    return held if given is None else newest_token(held, given)


def _report(
    settings: CallSettings,
    operation: Operation,
    send: Send,
    *,
    attempt: int,
    began_ms: float,
    status: Optional[int],
    code: Optional[str],
    wait_ms: float,
) -> None:
    ms = settings.monotonic_ms() - began_ms
    settings.emit(ClientEvent("attempt", operation.name, attempt, status, code, ms, "network", wait_ms, settings.breaker.state))
    if logger.isEnabledFor(logging.DEBUG):
        shown = " ".join(f"{name}={send.headers[name]}" for name in _LOGGED_HEADERS if name in send.headers)
        logger.debug("%s /api/v1%s %s %dms attempt=%d %s", send.method, operation.path, status or code, ms, attempt, shown)
