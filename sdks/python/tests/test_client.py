"""What a client refuses before it asks anything, and how its parts behave by themselves."""

import asyncio
import socket
import sys
import threading
import time
from typing import Any, Dict, Optional

import httpx
import pytest

from llm_schema_registry import (
    ApiError,
    BreakerOptions,
    CacheOptions,
    ConfigurationError,
    ConnectionLost,
    SchemaRegistryClient,
    SyncSchemaRegistry,
)
from llm_schema_registry._engine.cache import Cache, CacheEntry
from llm_schema_registry._engine.constants import MAX_CACHE_ENTRIES
from llm_schema_registry._engine.retry import parse_retry_after_ms
from llm_schema_registry._engine.token import newest_token, parse_token, reaches_token
from llm_schema_registry.schema import to_schema
from llm_schema_registry.validation.json_schema import compile_json_schema

RECORD = {
    "id": "0192-a",
    "subject": "o",
    "context": ".",
    "version": "1.0.0",
    "version_number": 1,
    "format": "json-schema",
    "guid": "8aeda0d2-b731-1a94-8887-14804b8af74e",
    "state": "active",
    "created_at": "2026-11-30T14:00:07.563Z",
    "created_by": "local",
    "updated_at": "2026-11-30T14:00:07.563Z",
    "seq": 1,
}


@pytest.fixture(scope="module")
def nowhere() -> str:
    """An address of this machine at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("localhost:8080", {}),
        ("not a url", {}),
        ("ftp://localhost", {}),
        ("http://localhost", {"timeout": 0}),
        ("http://localhost", {"timeout": float("nan")}),
        ("http://localhost", {"attempt_timeout": -1}),
        ("http://localhost", {"max_attempts": 0}),
        ("http://localhost", {"max_attempts": 1.5}),
        ("http://localhost", {"cache": CacheOptions(head_lifetime_s=300.001)}),
        ("http://localhost", {"app": "billing\n2"}),
        ("http://localhost", {"app": "x" * 65}),
    ],
)
def test_refuses_options_that_no_call_could_be_made_with(url: str, options: Dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        SchemaRegistryClient(url, **options)


def test_takes_options_at_their_limits() -> None:
    client = SyncSchemaRegistry("https://r.test/base/", app="x" * 64, cache=CacheOptions(head_lifetime_s=300))
    assert client.token is None
    client.close()


@pytest.mark.parametrize("call", [{"timeout": -1}, {"min_token": "1.2"}, {"min_token": "1.2.3"}])
def test_refuses_a_call_that_cannot_be_made(nowhere: str, call: Dict[str, Any]) -> None:
    with SyncSchemaRegistry(nowhere) as client, pytest.raises(ConfigurationError):
        client.get_schema("a", **call)


async def test_says_that_nothing_was_sent_where_no_connection_was_made(nowhere: str) -> None:
    async with SchemaRegistryClient(nowhere, max_attempts=1) as client:
        with pytest.raises(ConnectionLost) as caught:
            await client.health()
    assert not caught.value.may_have_been_sent


def test_survives_a_metrics_hook_that_raises(nowhere: str, caplog: pytest.LogCaptureFixture) -> None:
    def hook(_: object) -> None:
        raise ValueError("mine")

    with SyncSchemaRegistry(nowhere, max_attempts=1, on_event=hook) as client:
        for _ in range(2):
            with pytest.raises(ConnectionLost):
                client.health()
    assert caplog.text.count("hook raised") == 1


def test_shares_its_breaker_with_copies_that_have_other_options(nowhere: str) -> None:
    with SyncSchemaRegistry(nowhere, max_attempts=1, breaker=BreakerOptions(failures=2)) as client:
        for one in (client, client.with_options(timeout=1)):
            with pytest.raises(ConnectionLost):
                one.health()
        assert client.cache_stats()["breaker"] == "open"


def test_does_not_close_a_client_that_was_given() -> None:
    http = httpx.Client()
    SyncSchemaRegistry("http://localhost", http_client=http).close()
    assert not http.is_closed
    http.close()


def test_warns_of_a_key_that_crosses_the_network_in_plain_text(caplog: pytest.LogCaptureFixture) -> None:
    for url in ("http://registry.test", "http://127.0.0.1", "https://registry.test"):
        SyncSchemaRegistry(url, api_key="llmsr_default_k1_s").close()
    assert len(caplog.records) == 1
    assert "llmsr_" not in caplog.text


def entry(size: int) -> CacheEntry:
    return CacheEntry(value=1, etag=None, token=None, stored_at_ms=0, lifetime_ms=1, size=size, subject="s")


def test_cache_holds_1000_entries_and_drops_the_oldest_for_one_more() -> None:
    cache = Cache()
    for number in range(MAX_CACHE_ENTRIES):
        cache.store((number,), entry(1))
    assert cache.read((0,)) is not None

    cache.store(("one more",), entry(1))

    assert cache.stats()["entries"] == MAX_CACHE_ENTRIES
    assert cache.read((1,)) is None
    assert cache.read((0,)) is not None


def test_cache_holds_its_bytes() -> None:
    cache = Cache(10, 100)
    cache.store(("a",), entry(60))
    cache.store(("b",), entry(40))
    cache.store(("c",), entry(1))
    cache.store(("d",), entry(101))

    assert cache.read(("a",)) is None
    assert cache.read(("d",)) is None
    assert cache.stats()["bytes"] == 41


@pytest.mark.parametrize(
    ("held", "incoming", "kept"),
    [
        (None, "1.100.40", "1.100.40"),
        ("1.100.40", "1.99.99", "1.100.40"),
        ("1.9.0", "1.10.0", "1.10.0"),
        ("1.100.100", "1.100.40", "1.100.40"),
        ("1.500.20", "2.3.0", "2.3.0"),
    ],
)
def test_keeps_the_newest_token(held: Optional[str], incoming: str, kept: str) -> None:
    token = parse_token(incoming)
    assert token is not None
    assert newest_token(parse_token(held), token).text == kept


@pytest.mark.parametrize("text", ["", "1.2", "1.2.3", "a.b.c", "1.1234567890123456.0", "-1.2.0", "1.2.0\n"])
def test_reads_no_token(text: str) -> None:
    assert parse_token(text) is None


def test_a_newer_epoch_satisfies_every_token() -> None:
    assert reaches_token(parse_token("2.0.0"), parse_token("1.9.9"), content=False)
    assert not reaches_token(None, parse_token("1.9.9"), content=True)


def test_retry_after_that_is_neither_seconds_nor_a_date() -> None:
    assert parse_retry_after_ms("soon", 0) is None
    assert parse_retry_after_ms(None, 0) is None


async def test_an_expired_answer_stands_in_at_the_callers_own_timeout() -> None:
    asked = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if len(asked) > 1:
            await asyncio.sleep(30)
        return httpx.Response(200, json=RECORD)

    http_client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    async with SchemaRegistryClient("http://registry.test", cache=CacheOptions(head_lifetime_s=0), http_client=http_client) as client:
        await client.latest("o")

        assert (await client.latest("o", timeout=0.1)).stale
    await http_client.aclose()


def test_a_refused_event_stream_is_an_error_though_its_body_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_schema_registry._http.EVENT_IDLE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            stream, _ = server.accept()
            stream.recv(65_536)
            stream.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/problem+json\r\nContent-Length: 100\r\n\r\n{")
            time.sleep(2)
            stream.close()

        threading.Thread(target=answer, daemon=True).start()
        with SyncSchemaRegistry(f"http://127.0.0.1:{server.getsockname()[1]}") as client, pytest.raises(ApiError) as refused:
            next(client.events())
    assert refused.value.status == 401


def test_refuses_what_is_no_schema() -> None:
    with pytest.raises(TypeError, match="not int"):
        to_schema(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "schema",
    [
        {"format": "email"},
        {"pattern": "^\\d+$"},
        {"patternProperties": {"(?<a>x)": {}}},
        {"multipleOf": 0.1},
        {"maximum": 2**53},
        {"$dynamicRef": "#a"},
        {"anyOf": [{"contentMediaType": "application/json"}]},
    ],
)
def test_leaves_to_the_registry_what_engines_judge_differently(schema: Dict[str, Any]) -> None:
    assert compile_json_schema(schema, "2020-12") is None


@pytest.mark.parametrize("is_fast", [True, False])
def test_both_engines_agree(monkeypatch: pytest.MonkeyPatch, is_fast: bool) -> None:
    if not is_fast:
        monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}, "b": {"pattern": "^[a-z]{2,3}$"}}, "required": ["a"]}
    validate = compile_json_schema(schema, "2020-12")
    assert validate is not None

    assert validate({"a": 1, "b": "xyz"}) == (True, [])
    refused = validate({"a": 0, "b": "xyz1"})
    assert refused is not None
    assert sorted((error.pointer, error.keyword) for error in refused[1]) == [("/a", "minimum"), ("/b", "pattern")]
    assert validate({"a": 2**53}) is None


def test_an_unknown_dialect_is_left_to_the_registry() -> None:
    assert compile_json_schema({}, "2030-01") is None
