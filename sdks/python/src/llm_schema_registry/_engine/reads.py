"""Reads through the cache: fresh, revalidated, from the network, or stale while the registry is away."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Callable, Generator, Mapping, Optional, Tuple, Union

from ..errors import ApiError, BadAnswer, CircuitOpen, ConnectionLost, DeadlineExceeded, RegistryError
from .cache import Cache, CacheEntry, Key
from .call import Answer, AttemptLimits, CallAnswer, CallOptions, CallSettings, Lost, Operation, Step, logger, run_call
from .constants import CONTENT_LIFETIME_MS, STALE_ATTEMPT_TIMEOUT_S, STALE_RETRY_MS, STALE_WARNING_INTERVAL_MS
from .token import newest_token, parse_token, reaches_token

_STAND_IN_LIMITS = AttemptLimits(max_attempts=1, timeout_s=STALE_ATTEMPT_TIMEOUT_S)
"""While a stale value is available, one short attempt is better than three long ones."""


@dataclass(frozen=True)
class CachedRead:
    key: Key
    """Its parts are never joined, so that no two names collide."""
    operation: Operation
    content: bool
    """Whether only a hard delete changes it."""
    lifetime_ms: Callable[[Mapping[str, str]], float]
    subject_of: Callable[[Any], Optional[str]]


@dataclass(frozen=True)
class ReadAnswer:
    entry: CacheEntry
    source: str
    """``network``, ``cache``, ``revalidated`` or ``stale``."""
    stale: bool


Ask = Generator[Step, Union[Answer, Lost, None], ReadAnswer]


@dataclass(frozen=True)
class Flight:
    """A read that needs the registry, and the key under which concurrent callers share it."""

    key: Tuple[Key, str, float]
    start: Callable[[], Ask]
    timeout_s: Optional[float]
    """The caller's own, where the shared read may take longer."""
    leave: Callable[[], ReadAnswer]
    """What the caller gets when its own timeout ends: a stale entry, or ``DeadlineExceeded`` is raised."""


def content_lifetime_ms(headers: Mapping[str, str]) -> float:
    found = re.search(r"(?:^|[\s,])max-age=([0-9]{1,9})", headers.get("Cache-Control") or "")
    return min(int(found.group(1)) * 1000, CONTENT_LIFETIME_MS) if found else CONTENT_LIFETIME_MS


class Reader:
    def __init__(self, settings: CallSettings, cache: Cache, stale_lifetime_ms: float, shared_timeout_s: float) -> None:
        self._settings = settings
        # A shared read gets the longest timeout of its callers, and each of them waits at most its own.
        self._timeout_s = max(settings.timeout_s, shared_timeout_s)
        self._cache = cache
        self._stale_lifetime_ms = stale_lifetime_ms
        self._warned_at_ms = float("-inf")

    def look(self, read: CachedRead, options: CallOptions) -> Union[ReadAnswer, Flight]:
        given = parse_token(options.min_token)
        wrote = self._settings.tokens.wrote
        required = wrote if given is None else newest_token(wrote, given)
        entry = self._cache.read(read.key)
        now_ms = self._settings.monotonic_ms()
        stand_in = None
        if entry is not None and reaches_token(entry.token, required, content=read.content):
            age_ms = now_ms - entry.stored_at_ms
            if age_ms < entry.lifetime_ms:
                self._cache.count("hits")
                return ReadAnswer(entry, "cache", False)
            if age_ms <= self._stale_lifetime_ms:
                if now_ms < entry.stale_until_ms:
                    return self._give_stale(entry)
                stand_in = entry
        own_s = min(options.timeout_s or self._settings.timeout_s, self._settings.timeout_s)
        return Flight(
            key=(read.key, required.text if required else "", self._timeout_s),
            start=lambda: self._ask(read, options, entry, stand_in),
            timeout_s=own_s if own_s < self._timeout_s else None,
            leave=lambda: self._leave(own_s, stand_in),
        )

    def _ask(self, read: CachedRead, options: CallOptions, entry: Optional[CacheEntry], stand_in: Optional[CacheEntry]) -> Ask:
        generation = self._cache.generation
        headers = dict(read.operation.headers)
        if entry is not None and entry.etag:
            headers["If-None-Match"] = entry.etag
        operation = Operation(read.operation.name, read.operation.method, read.operation.path, read.operation.query, headers=headers)
        settings, options = replace(self._settings, timeout_s=self._timeout_s), replace(options, timeout_s=None)
        try:
            answer = yield from run_call(settings, operation, options, _STAND_IN_LIMITS if stand_in else None)
        except RegistryError as error:
            if isinstance(error, ApiError) and error.status in (403, 404):
                self._cache.remove(read.key)
            if stand_in is None or not _is_registry_away(error):
                raise
            return self._stand_in(stand_in)
        served_stale = answer.headers.get("X-Registry-Stale") == "true"
        if answer.status == 304 and entry is not None:
            return self._renew(read, entry, answer, served_stale)
        self._cache.count("misses")
        fresh = self._entry_of(read, answer)
        if self._cache.generation == generation and not served_stale:
            self._cache.store(read.key, fresh)
        return ReadAnswer(fresh, "network", served_stale)

    def _entry_of(self, read: CachedRead, answer: CallAnswer) -> CacheEntry:
        try:
            value = json.loads(answer.text)
        except ValueError:
            raise BadAnswer(answer.status, "The answer's body is not JSON.", answer.attempts) from None
        return CacheEntry(
            value=value,
            etag=answer.headers.get("ETag"),
            token=answer.token,
            stored_at_ms=self._settings.monotonic_ms(),
            lifetime_ms=read.lifetime_ms(answer.headers),
            size=len(answer.text.encode("utf-8")),
            subject=read.subject_of(value),
        )

    def _renew(self, read: CachedRead, entry: CacheEntry, answer: CallAnswer, served_stale: bool) -> ReadAnswer:
        self._cache.count("revalidated")
        if answer.token is not None:
            entry.token = newest_token(entry.token, answer.token)
        if not served_stale:
            entry.stored_at_ms = self._settings.monotonic_ms()
            entry.lifetime_ms = read.lifetime_ms(answer.headers)
            entry.stale_until_ms = 0
        return ReadAnswer(entry, "revalidated", served_stale)

    def _leave(self, timeout_s: float, stand_in: Optional[CacheEntry]) -> ReadAnswer:
        if stand_in is None:
            # At least one attempt was made; further ones belong to the callers that still wait.
            raise DeadlineExceeded(f"The call did not end within {timeout_s:g} s.", attempts=1)
        return self._stand_in(stand_in)

    def _stand_in(self, entry: CacheEntry) -> ReadAnswer:
        entry.stale_until_ms = self._settings.monotonic_ms() + STALE_RETRY_MS
        return self._give_stale(entry)

    def _give_stale(self, entry: CacheEntry) -> ReadAnswer:
        self._cache.count("stale")
        now_ms = self._settings.monotonic_ms()
        if now_ms - self._warned_at_ms >= STALE_WARNING_INTERVAL_MS:
            self._warned_at_ms = now_ms
            logger.warning("The registry cannot be reached; answers come from expired cache entries.")
        return ReadAnswer(entry, "stale", True)


def _is_registry_away(error: RegistryError) -> bool:
    if isinstance(error, (ConnectionLost, DeadlineExceeded, CircuitOpen)):
        return True
    return isinstance(error, ApiError) and 502 <= error.status <= 504
