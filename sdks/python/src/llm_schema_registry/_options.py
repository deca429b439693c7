"""How a client behaves, and what its options turn into: the address, the headers, the checks before anything is sent."""

import platform
import sys
from dataclasses import dataclass
from typing import Any, Callable, Dict, Optional
from urllib.parse import urlsplit

from ._engine.call import CallOptions, ClientEvent, logger
from ._engine.constants import (
    BREAKER_FAILURES,
    BREAKER_OPEN_MS,
    HEAD_LIFETIME_MS,
    LONGEST_HEAD_LIFETIME_MS,
    MAX_APP_CHARACTERS,
    MAX_CACHE_BYTES,
    MAX_CACHE_ENTRIES,
    MAX_USER_AGENT_CHARACTERS,
    STALE_LIFETIME_MS,
)
from ._engine.token import parse_token
from ._version import VERSION
from .errors import ConfigurationError


class _NotGiven:
    """Marks an omitted argument, because None clears."""

    def __repr__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN: Any = _NotGiven()


@dataclass(frozen=True)
class CacheOptions:
    max_entries: int = MAX_CACHE_ENTRIES
    """0 keeps nothing."""
    max_bytes: int = MAX_CACHE_BYTES
    head_lifetime_s: float = HEAD_LIFETIME_MS / 1000
    """How long ``latest`` and ranges may be kept: at most 300."""
    stale_lifetime_s: float = STALE_LIFETIME_MS / 1000
    """The maximum age of expired entries that are used while the registry cannot be reached. 0 turns it off."""


@dataclass(frozen=True)
class BreakerOptions:
    failures: int = BREAKER_FAILURES
    """Failed attempts in a row that open it."""
    open_s: float = BREAKER_OPEN_MS / 1000
    """How long it stays open before one attempt is let through."""


@dataclass(frozen=True)
class SearchFilters:
    format: Optional[str] = None
    state: Optional[str] = None
    tag: Optional[str] = None
    owner: Optional[str] = None
    subject_prefix: Optional[str] = None
    role: Optional[str] = None
    versions: Optional[str] = None
    """``latest`` or ``all``."""


@dataclass(frozen=True)
class ClientOptions:
    """What a client was made with."""

    api_key: Optional[str]
    context: Optional[str]
    timeout: float
    attempt_timeout: float
    max_attempts: int
    cache: CacheOptions
    breaker: BreakerOptions
    app: Optional[str]
    random: Callable[[], float]
    on_event: Optional[Callable[[ClientEvent], None]]


def check_options(url: str, options: ClientOptions) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError("The registry's address is not an HTTP URL; expected for example http://localhost:8080.")
    for name, value in (("timeout", options.timeout), ("attempt_timeout", options.attempt_timeout)):
        if not value > 0:
            raise ConfigurationError(f"{name} is a number of seconds above 0.")
    if isinstance(options.max_attempts, bool) or not isinstance(options.max_attempts, int) or options.max_attempts < 1:
        raise ConfigurationError("max_attempts is a whole number from 1.")
    if not 0 <= options.cache.head_lifetime_s * 1000 <= LONGEST_HEAD_LIFETIME_MS:
        raise ConfigurationError(f"cache.head_lifetime_s is between 0 and {LONGEST_HEAD_LIFETIME_MS // 1000}.")
    app = options.app or ""
    if len(app) > MAX_APP_CHARACTERS or not (app.isascii() and app.isprintable()):
        raise ConfigurationError(f"app is at most {MAX_APP_CHARACTERS} printable ASCII characters.")
    if options.api_key and parts.scheme == "http" and not _is_loopback(parts.hostname):
        logger.warning("The key is sent over plain HTTP to a host that is not this machine.")
    port = f":{parts.port}" if parts.port else ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def check_call(options: CallOptions) -> None:
    if options.timeout_s is not None and not options.timeout_s > 0:
        raise ConfigurationError("timeout is a number of seconds above 0.")
    if options.min_token is not None and parse_token(options.min_token) is None:
        raise ConfigurationError("min_token is not a token; expected <epoch>.<seq>.<seq of the last hard delete>.")


def _is_loopback(hostname: str) -> bool:
    return hostname in ("localhost", "::1") or hostname.startswith("127.")


def describe_headers(options: ClientOptions) -> Dict[str, str]:
    systems = {"Linux": "linux", "Darwin": "darwin", "Windows": "windows"}
    machines = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
    system = systems.get(platform.system(), "other")
    machine = machines.get(platform.machine(), "other")
    runtime = f"{sys.implementation.name}/{platform.python_version()}"
    user_agent = f"llm-schema-registry-python/{VERSION} {runtime} ({system}; {machine})" + (f" {options.app}" if options.app else "")
    headers = {"Accept": "application/json", "User-Agent": user_agent[:MAX_USER_AGENT_CHARACTERS]}
    if options.api_key:
        headers["Authorization"] = f"Bearer {options.api_key}"
    return headers
