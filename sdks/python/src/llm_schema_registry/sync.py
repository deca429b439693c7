"""The synchronous client: each method builds one request and reads one answer. Made from ``client.py`` by scripts/make.py.

It is one class, with the signature and the documentation of every method, which is why it is long.
"""

import contextlib
import random as random_numbers
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Generic, Iterator, List, Mapping, Optional, Sequence, Type, TypeVar, Union
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel

from ._answers import as_record, describe_schema, read_event, read_json, refused_stream, subject_of_record, without_none
from ._engine.breaker import Breaker
from ._engine.cache import Cache, CacheEntry
from ._engine.call import CallAnswer, CallOptions, CallSettings, ClientEvent, Operation, logger, run_call
from ._engine.constants import (
    ATTEMPT_TIMEOUT_S,
    CALL_TIMEOUT_S,
    FIRST_WAIT_MS,
    LONGEST_EVENT_WAIT_MS,
    MAX_ATTEMPTS,
    RECORD_LIFETIME_MS,
)
from ._engine.reads import CachedRead, Flight, ReadAnswer, Reader, content_lifetime_ms
from ._engine.retry import jitter_ms
from ._engine.token import Tokens
from ._http import CallerTimeout, Clock, SyncDriver, SyncFlights
from ._options import NOT_GIVEN, BreakerOptions, CacheOptions, ClientOptions, SearchFilters, check_call, check_options, describe_headers
from ._subject import encode, qualify, split_subject
from .errors import ApiError, RegistryError
from .models import (
    DecodedAnswers,
    Health,
    Projection,
    RegistryEvent,
    SchemaRecord,
    SearchHit,
    SubjectSummary,
    ValidationResult,
    Verdict,
)
from .schema import SchemaInput
from .validation.json_schema import compile_json_schema, parse_text, to_plain

Item = TypeVar("Item", bound=BaseModel)
Model = TypeVar("Model", bound=BaseModel)


@dataclass
class _Shared:
    """What ``with_options`` copies share."""

    tokens: Tokens
    breaker: Breaker
    cache: Cache
    flights: SyncFlights
    driver: SyncDriver
    clock: Clock
    timeout_s: float


class SyncPages(Generic[Item]):
    """A list that fetches its pages as they are needed. Iterate it for items, or ``pages()`` for pages."""

    def __init__(self, fetch: Callable[[Optional[str]], Dict[str, Any]], item: Type[Item]) -> None:
        self._fetch = fetch
        self._item = item

    def pages(self) -> Iterator[List[Item]]:
        """A page may be empty and still not be the last; only a missing cursor ends the list."""
        cursor: Optional[str] = None
        while True:
            page = self._fetch(cursor)
            yield [self._item.model_validate(item) for item in page["items"]]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def __iter__(self) -> Iterator[Item]:
        for page in self.pages():
            for item in page:
                yield item

    def to_list(self) -> List[Item]:
        """All items at once; for lists known to be short."""
        return [item for item in self]


class SyncSchemaRegistry:
    """A client of the registry. Safe to share; close it, or use it in ``with``."""

    def __init__(
        self,
        url: str,
        *,
        api_key: Optional[str] = None,
        context: Optional[str] = None,
        timeout: float = CALL_TIMEOUT_S,
        attempt_timeout: float = ATTEMPT_TIMEOUT_S,
        max_attempts: int = MAX_ATTEMPTS,
        cache: CacheOptions = CacheOptions(),
        breaker: BreakerOptions = BreakerOptions(),
        app: Optional[str] = None,
        http_client: Optional[httpx.Client] = None,
        clock: Optional[Clock] = None,
        random: Callable[[], float] = random_numbers.random,
        on_event: Optional[Callable[[ClientEvent], None]] = None,
    ) -> None:
        options = ClientOptions(api_key, context, timeout, attempt_timeout, max_attempts, cache, breaker, app, random, on_event)
        clock = clock or Clock()
        shared = _Shared(
            tokens=Tokens(),
            breaker=Breaker(breaker.failures, breaker.open_s * 1000),
            cache=Cache(cache.max_entries, cache.max_bytes),
            flights=SyncFlights(),
            driver=SyncDriver(clock, http_client),
            clock=clock,
            timeout_s=timeout,
        )
        self._start(url, options, shared)

    def _start(self, url: str, options: ClientOptions, shared: _Shared) -> None:
        base_url = check_options(url, options)
        self._url, self._options, self._shared = url, options, shared
        self._hook_failed = False
        self._settings = CallSettings(
            base_url=base_url,
            headers=describe_headers(options),
            timeout_s=options.timeout,
            attempt_timeout_s=options.attempt_timeout,
            max_attempts=options.max_attempts,
            monotonic_ms=shared.clock.monotonic_ms,
            wall_ms=shared.clock.wall_ms,
            random=options.random,
            tokens=shared.tokens,
            breaker=shared.breaker,
            emit=self._emit,
        )
        self._reader = Reader(self._settings, shared.cache, options.cache.stale_lifetime_s * 1000, shared.timeout_s)

    def __enter__(self) -> "SyncSchemaRegistry":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def with_options(
        self,
        *,
        timeout: float = NOT_GIVEN,
        attempt_timeout: float = NOT_GIVEN,
        max_attempts: int = NOT_GIVEN,
        context: Optional[str] = NOT_GIVEN,
    ) -> "SyncSchemaRegistry":
        """A client with other options that shares connections, cache, token and breaker."""
        given = {"timeout": timeout, "attempt_timeout": attempt_timeout, "max_attempts": max_attempts, "context": context}
        changes: Any = {name: value for name, value in given.items() if value is not NOT_GIVEN}
        copy: SyncSchemaRegistry = object.__new__(type(self))
        copy._start(self._url, replace(self._options, **changes), self._shared)
        return copy

    @property
    def token(self) -> Optional[str]:
        """The newest token of this client's own writes, to hand to another process as ``min_token``."""
        wrote = self._shared.tokens.wrote
        return wrote.text if wrote else None

    def register_schema(
        self,
        subject: str,
        schema: SchemaInput,
        *,
        references: Sequence[Mapping[str, Any]] = (),
        version: Optional[str] = None,
        state: Optional[str] = None,
        compatibility_level: Optional[str] = None,
        description: Optional[str] = None,
        tags: Optional[Sequence[str]] = None,
        owner: Optional[str] = None,
        metadata: Optional[Mapping[str, Any]] = None,
        role: Optional[str] = None,
        idempotency_key: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> str:
        """Registers a schema as the next version of a subject and returns the version's id. ``POST /schemas``.

        Raises:
            IncompatibleSchema: it would break what the subject's level protects; ``verdict`` says what.
            InvalidSchema: it breaks a rule of its format.
        """
        given = {
            "references": list(references) or None,
            "version": version,
            "state": state,
            "compatibility_level": compatibility_level,
            "description": description,
            "tags": tags,
            "owner": owner,
            "metadata": metadata,
            "role": role,
        }
        body = {"subject": self._qualified(subject), **describe_schema(schema), **without_none(given)}
        operation = Operation("register_schema", "POST", "/schemas", json=body, takes_key=True, writes=True)
        answer = self._call(operation, CallOptions(timeout, idempotency_key))
        self._shared.cache.forget_subject(self._qualified(subject))
        record = read_json(answer)
        entry = CacheEntry(
            value=record,
            etag=answer.headers.get("ETag"),
            token=answer.token,
            stored_at_ms=self._shared.clock.monotonic_ms(),
            lifetime_ms=RECORD_LIFETIME_MS,
            size=len(answer.text),
            subject=qualify(record["context"], record["subject"]),
        )
        self._shared.cache.store(("record", record["id"]), entry)
        return str(record["id"])

    def get_schema(self, schema_id: str, *, min_token: Optional[str] = None, timeout: Optional[float] = None) -> SchemaRecord:
        """Reads a version by its id. ``GET /schemas/{id}``."""
        operation = Operation("get_schema", "GET", f"/schemas/{encode(schema_id)}")
        read = CachedRead(("record", schema_id), operation, False, lambda _: RECORD_LIFETIME_MS, subject_of_record)
        return as_record(self._read(read, CallOptions(timeout, min_token=min_token)))

    def get_version(
        self, subject: str, version: Union[int, str], *, min_token: Optional[str] = None, timeout: Optional[float] = None
    ) -> SchemaRecord:
        """Reads a version by number, semantic version, range (``^2``, ``1.x``), alias or ``latest``.

        ``GET /subjects/{s}/versions/{v}``.
        """
        return as_record(self._read_version(subject, version, CallOptions(timeout, min_token=min_token)))

    def latest(self, subject: str, *, min_token: Optional[str] = None, timeout: Optional[float] = None) -> SchemaRecord:
        """Reads a subject's newest active version."""
        return self.get_version(subject, "latest", min_token=min_token, timeout=timeout)

    def validate(
        self, data: Any, schema_id: str, *, remote: bool = False, min_token: Optional[str] = None, timeout: Optional[float] = None
    ) -> bool:
        """Whether the schema accepts the data. Decided locally once the schema is cached; ``remote`` asks the registry."""
        return (self._validate("validate", data, schema_id, remote, CallOptions(timeout, min_token=min_token))).valid

    def explain_validation(
        self, data: Any, schema_id: str, *, remote: bool = False, min_token: Optional[str] = None, timeout: Optional[float] = None
    ) -> ValidationResult:
        """Why data is valid or not, with the location of each error."""
        return self._validate("explain_validation", data, schema_id, remote, CallOptions(timeout, min_token=min_token))

    def validate_batch(
        self, items: Sequence[Any], schema_id: str, *, remote: bool = False, timeout: Optional[float] = None
    ) -> List[ValidationResult]:
        """Validates several data against one schema, in their order."""
        return [self._validate("validate_batch", item, schema_id, remote, CallOptions(timeout)) for item in items]

    def check_compatibility(
        self,
        subject: str,
        schema: SchemaInput,
        *,
        level: Optional[str] = None,
        policy: Optional[str] = None,
        references: Sequence[Mapping[str, Any]] = (),
        version: Union[int, str, None] = None,
        timeout: Optional[float] = None,
    ) -> bool:
        """Whether a schema may become the subject's next version. ``POST /compatibility/check``."""
        verdict = self.explain_compatibility(
            subject, schema, level=level, policy=policy, references=references, version=version, timeout=timeout
        )
        return verdict.compatible

    def explain_compatibility(
        self,
        subject: str,
        schema: SchemaInput,
        *,
        level: Optional[str] = None,
        policy: Optional[str] = None,
        references: Sequence[Mapping[str, Any]] = (),
        version: Union[int, str, None] = None,
        timeout: Optional[float] = None,
    ) -> Verdict:
        """What a schema would break as the subject's next version, with data that shows it."""
        given = {"level": level, "policy": policy, "references": list(references) or None, "version": version}
        body = {"subject": self._qualified(subject), **describe_schema(schema), **without_none(given)}
        return self._ask(Operation("check_compatibility", "POST", "/compatibility/check", json=body), Verdict, timeout)

    def search(
        self,
        query: str = "",
        *,
        filters: Optional[SearchFilters] = None,
        limit: Optional[int] = None,
        consistent: bool = False,
        timeout: Optional[float] = None,
    ) -> SyncPages[SearchHit]:
        """Searches names, documentation and schema texts. ``POST /search``.

        The index lags slightly behind writes unless ``consistent``.
        """
        token = "wrote" if consistent else "none"

        def fetch(cursor: Optional[str]) -> Dict[str, Any]:
            chosen = without_none(vars(filters) if filters else {})
            body = without_none({"query": query, "limit": limit, "cursor": cursor, "filters": chosen or None})
            return self._page(Operation("search", "POST", "/search", json=body, token=token), timeout)

        return SyncPages(fetch, SearchHit)

    def list_subjects(
        self, *, prefix: Optional[str] = None, limit: Optional[int] = None, timeout: Optional[float] = None
    ) -> SyncPages[SubjectSummary]:
        """Lists subjects by name. ``GET /subjects``."""

        def fetch(cursor: Optional[str]) -> Dict[str, Any]:
            query = {"prefix": prefix, "limit": str(limit) if limit else None, "context": self._options.context, "cursor": cursor}
            return self._page(Operation("list_subjects", "GET", "/subjects", query), timeout)

        return SyncPages(fetch, SubjectSummary)

    def list_versions(self, subject: str, *, timeout: Optional[float] = None) -> SyncPages[SchemaRecord]:
        """Lists a subject's versions, oldest first. ``GET /subjects/{s}/versions``."""

        def fetch(cursor: Optional[str]) -> Dict[str, Any]:
            path = f"/subjects/{encode(self._qualified(subject))}/versions"
            return self._page(Operation("list_versions", "GET", path, {"cursor": cursor}), timeout)

        return SyncPages(fetch, SchemaRecord)

    def update(
        self,
        schema_id: str,
        *,
        if_match: Optional[str] = None,
        description: Optional[str] = NOT_GIVEN,
        tags: Sequence[str] = NOT_GIVEN,
        owner: Optional[str] = NOT_GIVEN,
        metadata: Mapping[str, Any] = NOT_GIVEN,
        role: Optional[str] = NOT_GIVEN,
        state: str = NOT_GIVEN,
        reason: Optional[str] = NOT_GIVEN,
        idempotency_key: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> SchemaRecord:
        """Changes a version's attributes or lifecycle state, never its content. ``PATCH /schemas/{id}``.

        Omitted attributes are unchanged; None clears.
        """
        given = {
            "description": description,
            "tags": tags,
            "owner": owner,
            "metadata": metadata,
            "role": role,
            "state": state,
            "reason": reason,
        }
        change = {name: value for name, value in given.items() if value is not NOT_GIVEN}
        headers = {"If-Match": if_match} if if_match else {}
        path = f"/schemas/{encode(schema_id)}"
        operation = Operation("update_schema", "PATCH", path, json=change, headers=headers, takes_key=True, writes=True)
        return self._changed(self._call(operation, CallOptions(timeout, idempotency_key)))

    def delete(
        self, schema_id: str, *, permanent: bool = False, idempotency_key: Optional[str] = None, timeout: Optional[float] = None
    ) -> None:
        """Deletes a version; it can be brought back unless ``permanent``. ``DELETE /schemas/{id}``."""
        query = {"permanent": "true" if permanent else None}
        cache = self._shared.cache
        known = cache.read(("record", schema_id))
        operation = Operation("delete_schema", "DELETE", f"/schemas/{encode(schema_id)}", query, takes_key=True, writes=True)
        self._call(operation, CallOptions(timeout, idempotency_key))
        # The subject is known only if the record was read before; otherwise every head entry is removed.
        if known is None or known.subject is None:
            cache.clear()
        else:
            cache.forget_subject(known.subject)
        if permanent:
            cache.remove(("content", schema_id))

    def undelete(self, schema_id: str, *, idempotency_key: Optional[str] = None, timeout: Optional[float] = None) -> SchemaRecord:
        """Brings a deleted version back, with its number and ids. ``POST /schemas/{id}/undelete``."""
        operation = Operation("undelete_schema", "POST", f"/schemas/{encode(schema_id)}/undelete", takes_key=True, writes=True)
        return self._changed(self._call(operation, CallOptions(timeout, idempotency_key)))

    def project(self, schema_id: str, profile: str, *, timeout: Optional[float] = None) -> Projection:
        """Rewrites a schema for a model provider. ``GET /schemas/{id}/project/{profile}``."""
        path = f"/schemas/{encode(schema_id)}/project/{encode(profile)}"
        return self._ask(Operation("project_schema", "GET", path), Projection, timeout)

    def decode(
        self,
        schema_id: str,
        profile: str,
        *,
        response: Any = NOT_GIVEN,
        answer: Any = NOT_GIVEN,
        tool: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> DecodedAnswers:
        """Turns a model's answer back into data of the original schema, and validates it. ``POST /decode-answer``."""
        given = {"response": response, "answer": answer}
        body = {"id": schema_id, "profile": profile, **{name: value for name, value in given.items() if value is not NOT_GIVEN}}
        operation = Operation("decode_answer", "POST", "/decode-answer", json={**body, **without_none({"tool": tool})})
        return self._ask(operation, DecodedAnswers, timeout)

    def health(self, *, timeout: Optional[float] = None) -> Health:
        """Whether the registry answers. ``GET /health``."""
        return self._ask(Operation("health", "GET", "/health", token="none"), Health, timeout)

    def events(self, *, after: Optional[int] = None, subjects: Sequence[str] = (), types: Sequence[str] = ()) -> Iterator[RegistryEvent]:
        """Streams every change in order, without end: reconnects after a lost connection, and delivers no event twice. ``GET /events``.

        Store an event's ``seq`` once it is handled, and pass it as ``after`` next time.
        """
        last_id: Optional[str] = None
        last_seq = -1 if after is None else after
        failures = 0
        while True:
            query = {"after": str(after) if after is not None and last_id is None else None}
            query.update(subjects=",".join(subjects) or None, types=",".join(types) or None)
            headers = {**self._settings.headers, "Accept": "text/event-stream"}
            if last_id is not None:
                headers["Last-Event-ID"] = last_id
            url = f"{self._settings.base_url}/api/v1/events?{urlencode(without_none(query))}".rstrip("?")
            retry_after_ms = 0.0
            try:
                with self._shared.driver.stream(url, headers) as response:
                    if response.status_code != 200:
                        # A body that does not end is left out: the status says enough.
                        with contextlib.suppress(httpx.HTTPError):
                            response.read()
                        raise refused_stream(response, self._shared.clock.wall_ms())
                    data: List[str] = []
                    for line in response.iter_lines():
                        if line.startswith("data:"):
                            data.append(line[5:].lstrip(" "))
                        elif line == "" and data:
                            event = read_event("\n".join(data))
                            data = []
                            failures, last_id = 0, event.id
                            if event.seq > last_seq:
                                last_seq = event.seq
                                yield event
            except httpx.HTTPError:
                pass
            except RegistryError as error:
                if getattr(error, "status", 0) not in (429, 502, 503, 504):
                    raise
                retry_after_ms = getattr(error, "retry_after_ms", None) or 0
            failures += 1
            wait_ms = jitter_ms(failures, self._options.random(), LONGEST_EVENT_WAIT_MS)
            self._shared.driver.sleep(retry_after_ms + (wait_ms or FIRST_WAIT_MS / 10))

    def clear_cache(self, subject: Optional[str] = None) -> None:
        """Clears the cache, or the part that belongs to one subject."""
        if subject is None:
            self._shared.cache.clear()
        else:
            self._shared.cache.forget_subject(self._qualified(subject))

    def cache_stats(self) -> Dict[str, Any]:
        """Counts of the cache, and the state of the breaker and the tokens."""
        tokens = self._shared.tokens
        return {
            **self._shared.cache.stats(),
            "breaker": self._shared.breaker.state,
            "token_seen": tokens.seen.text if tokens.seen else None,
            "token_unreadable": tokens.unreadable,
        }

    def close(self) -> None:
        """Closes the connections, unless they belong to an ``http_client`` that was given."""
        self._shared.cache.clear()
        self._shared.driver.close()

    def _validate(self, name: str, data: Any, schema_id: str, remote: bool, options: CallOptions) -> ValidationResult:
        data = to_plain(data)
        if not remote:
            operation = Operation(name, "GET", f"/schemas/{encode(schema_id)}/content")
            read = CachedRead(("content", schema_id), operation, True, content_lifetime_ms, lambda _: None)
            answer = self._read(read, options)
            if "validator" not in answer.entry.derived:
                answer.entry.derived["validator"] = self._prepare(name, schema_id, answer.entry.value)
            validator = answer.entry.derived["validator"]
            result = validator(data) if validator else None
            if result is not None:
                return ValidationResult(valid=result[0], errors=result[1], engine="local", stale=answer.stale)
        operation = Operation(name, "POST", f"/schemas/{encode(schema_id)}/validate", json={"data": data})
        return self._ask(operation, ValidationResult, options.timeout_s)

    def _prepare(self, name: str, schema_id: str, content: Dict[str, Any]) -> Any:
        """A validator of a JSON Schema and all that it references, or None where the registry should be asked."""
        if content["format"] != "json-schema":
            return None
        bundled = self._read_bundled(name, schema_id, content)
        if bundled is None:
            return None
        return compile_json_schema(parse_text(bundled["content"]), bundled.get("dialect") or "2020-12")

    def _read_bundled(self, name: str, schema_id: str, content: Dict[str, Any]) -> Optional[Dict[str, Any]]:
        """The content with its references inlined by the registry, or None if that is impossible.

        Names and bare subjects resolve relative to the referring schema.
        """
        if not content["references"]:
            return content
        operation = Operation(name, "GET", f"/schemas/{encode(schema_id)}/content", query={"bundle": "true"})
        try:
            bundled: Dict[str, Any] = read_json(self._call(operation, CallOptions()))
        except ApiError as error:
            if error.status == 422:
                return None
            raise
        return bundled

    def _read_version(self, subject: str, version: Union[int, str], options: CallOptions) -> ReadAnswer:
        context, name = split_subject(subject, self._options.context)
        is_number = str(version).isdigit()
        head_lifetime_ms = self._options.cache.head_lifetime_s * 1000
        operation = Operation("get_version", "GET", f"/subjects/{encode(qualify(context, name))}/versions/{encode(str(version))}")
        key = ("version", context, name, int(version)) if is_number else ("head", context, name, str(version))
        lifetime_ms = RECORD_LIFETIME_MS if is_number else head_lifetime_ms
        return self._read(CachedRead(key, operation, False, lambda _: lifetime_ms, lambda _: qualify(context, name)), options)

    def _read(self, read: CachedRead, options: CallOptions) -> ReadAnswer:
        check_call(options)
        began_ms = self._shared.clock.monotonic_ms()
        try:
            found = self._reader.look(read, options)
            if isinstance(found, ReadAnswer):
                answer, attempts = found, 0
            else:
                answer, attempts = self._share(found), 1
        except RegistryError as error:
            self._emit_call(read.operation.name, error.attempts, error.code, began_ms, None)
            raise
        self._emit_call(read.operation.name, attempts, None, began_ms, answer.source)
        return answer

    def _share(self, flight: Flight) -> ReadAnswer:
        try:
            return self._shared.flights.join(flight.key, flight.timeout_s, lambda: self._shared.driver.drive(flight.start()))
        except CallerTimeout:
            return flight.leave()

    def _call(self, operation: Operation, options: CallOptions) -> CallAnswer:
        check_call(options)
        began_ms = self._shared.clock.monotonic_ms()
        try:
            answer = self._shared.driver.drive(run_call(self._settings, operation, options))
        except RegistryError as error:
            self._emit_call(operation.name, error.attempts, error.code, began_ms, None)
            raise
        self._emit_call(operation.name, answer.attempts, None, began_ms, "network")
        return answer

    def _ask(self, operation: Operation, model: Type[Model], timeout: Optional[float]) -> Model:
        return model.model_validate(read_json(self._call(operation, CallOptions(timeout))))

    def _page(self, operation: Operation, timeout: Optional[float]) -> Dict[str, Any]:
        page: Dict[str, Any] = read_json(self._call(operation, CallOptions(timeout)))
        return page

    def _changed(self, answer: CallAnswer) -> SchemaRecord:
        """Removes what the change made outdated, before the caller sees it."""
        try:
            record = SchemaRecord.model_validate(read_json(answer))
        except (RegistryError, ValueError):
            # Only the answer names the subject that changed.
            self._shared.cache.clear()
            raise
        self._shared.cache.forget_subject(qualify(record.context, record.subject))
        self._shared.cache.remove(("record", record.id))
        return record

    def _qualified(self, subject: str) -> str:
        return qualify(*split_subject(subject, self._options.context))

    def _emit_call(self, name: str, attempts: int, code: Optional[str], began_ms: float, source: Optional[str]) -> None:
        ms = self._shared.clock.monotonic_ms() - began_ms
        self._emit(ClientEvent("call", name, attempts, None, code, ms, source, 0, self._shared.breaker.state))

    def _emit(self, event: ClientEvent) -> None:
        if self._options.on_event is None:
            return
        try:
            self._options.on_event(event)
        except Exception:
            if not self._hook_failed:
                logger.exception("The metrics hook raised; it is ignored.")
            self._hook_failed = True
