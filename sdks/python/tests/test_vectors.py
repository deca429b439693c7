"""The behaviour that all SDKs share, from contract/vectors/sdk, for both clients. README.md there says what each member means."""

import asyncio
import json
import logging
import threading
from typing import Any, Dict, List, Optional

import pytest
from conftest import VECTORS, ScriptedServer

from llm_schema_registry import (
    AvroSchema,
    CacheOptions,
    ClientEvent,
    Clock,
    DeadlineExceeded,
    JSONSchema,
    ProtobufSchema,
    RegistryError,
    SchemaRegistryClient,
    SearchFilters,
    SyncSchemaRegistry,
)

CASES = [
    pytest.param(vector, id=f"{path.stem}: {vector['description']}")
    for path in sorted(VECTORS.glob("*.json"))
    for vector in json.loads(path.read_text())["vectors"]
]
assert SearchFilters() is not None


class FakeClock(Clock):
    """A clock whose waits pass at once and are counted."""

    def __init__(self, wall_ms: float) -> None:
        self.now_ms = 0.0
        self.slept: List[float] = []
        self.cancels = False
        self._wall_ms = wall_ms

    def monotonic_ms(self) -> float:
        return self.now_ms

    def wall_ms(self) -> float:
        return self._wall_ms + self.now_ms

    def sleep(self, ms: float) -> None:
        self.slept.append(ms)
        self.now_ms += ms

    async def sleep_async(self, ms: float) -> None:
        if self.cancels:
            raise asyncio.CancelledError
        self.sleep(ms)


class Run:
    """One vector, and what its client has done so far."""

    def __init__(self, vector: Dict[str, Any]) -> None:
        self.vector = vector
        self.clock = FakeClock(vector.get("wall_ms", 0))
        self.events: List[ClientEvent] = []
        self._random = list(vector.get("random", []))

    def options(self) -> Dict[str, Any]:
        client = self.vector.get("client", {})
        cache: Dict[str, Any] = {}
        if "stale_max_age_ms" in client:
            cache["stale_lifetime_s"] = client["stale_max_age_ms"] / 1000
        if "cache_max_entries" in client:
            cache["max_entries"] = client["cache_max_entries"]
        options: Dict[str, Any] = {
            "clock": self.clock,
            "random": lambda: self._random.pop(0) if self._random else 0.5,
            "on_event": self.events.append,
            "cache": CacheOptions(**cache),
            "app": "vectors/1",
        }
        for name in ("api_key", "context", "max_attempts"):
            if name in client:
                options[name] = client[name]
        if "timeout_ms" in client:
            options["timeout"] = client["timeout_ms"] / 1000
        if "attempt_timeout_ms" in client:
            options["attempt_timeout"] = client["attempt_timeout_ms"] / 1000
        return options

    def expect(self, step: Dict[str, Any], value: Any, error: Optional[BaseException], seen: List[ClientEvent]) -> None:
        if "error" in step:
            expect_error(error, step["error"])
            return
        if error is not None:
            raise error
        if "returns" in step:
            expected = step["returns"]
            if isinstance(expected, dict):
                assert {name: getattr(value, name) for name in expected} == expected
            else:
                assert value == expected
        for name, expected in step.get("fields", {}).items():
            assert getattr(value, name) == expected
        if "items" in step:
            assert len(value) == step["items"]
        if "seqs" in step:
            assert [event.seq for event in value] == step["seqs"]
        if "source" in step:
            assert step["source"] in [event.source for event in seen if event.kind == "call"]

    def expect_end(self, client: Any, ended: Dict[str, Any], log: str) -> None:
        assert ended["mismatches"] == []
        assert ended["left"] == 0
        stats = client.cache_stats()
        for member, actual in (
            ("slept_ms", self.clock.slept),
            ("token", client.token),
            ("seen", stats["token_seen"]),
            ("breaker", stats["breaker"]),
            ("token_unreadable", stats["token_unreadable"]),
        ):
            if member in self.vector:
                assert actual == self.vector[member], member
        assert {name: stats[name] for name in self.vector.get("cache_stats", {})} == self.vector.get("cache_stats", {})
        for secret in self.vector.get("log_lacks", []):
            assert secret not in log


def expect_error(error: Optional[BaseException], expected: Dict[str, Any]) -> None:
    assert error is not None, "it answered"
    if expected.get("cancelled"):
        assert isinstance(error, asyncio.CancelledError)
        return
    if not isinstance(error, RegistryError):
        raise error
    for name, value in expected.items():
        if name == "timed_out":
            assert isinstance(error, DeadlineExceeded)
        elif name == "name":
            assert type(error).__name__ == value
        elif name == "verdict_kinds":
            assert [difference.kind for difference in error.verdict.differences] == value  # type: ignore[attr-defined]
        else:
            assert getattr(error, name) == value, name


def to_schema(schema: Dict[str, Any]) -> Any:
    ((kind, content),) = schema.items()
    return {"avro": AvroSchema, "protobuf": ProtobufSchema}.get(kind, JSONSchema)(content)


def start(client: Any, step: Dict[str, Any]) -> Any:
    """Calls what a step names; the asynchronous client's answer is still to be awaited."""
    call, args = step["call"], dict(step.get("args", {}))
    given = step.get("options", {})
    token = {"min_token": given["min_token"]} if "min_token" in given else {}
    if call == "register_schema":
        return client.register_schema(args["subject"], to_schema(args["schema"]), idempotency_key=given.get("idempotency_key"))
    if call == "get_schema":
        timeout = {"timeout": given["timeout_ms"] / 1000} if "timeout_ms" in given else {}
        return client.get_schema(args["id"], **token, **timeout)
    if call == "get_version":
        return client.get_version(args["subject"], args["version"], **token)
    if call == "latest":
        return client.latest(args["subject"], **token)
    if call == "validate":
        return client.validate(args["data"], args["id"], remote=args.get("remote", False), **token)
    if call == "explain_validation":
        return client.explain_validation(args["data"], args["id"], **token)
    if call == "check_compatibility":
        return client.check_compatibility(args["subject"], to_schema(args["schema"]))
    if call == "search":
        return client.search(args["query"], consistent=args.get("consistent", False)).to_list()
    if call == "list_subjects":
        return client.list_subjects(prefix=args["prefix"]).to_list()
    if call == "update":
        return client.update(args["id"], if_match=args.get("if_match"), **args["change"])
    if call == "delete":
        return client.delete(args["id"], permanent=args.get("permanent", False))
    raise AssertionError(f"The vectors call {call}, which this runner does not know.")


async def perform(client: SchemaRegistryClient, run: Run, step: Dict[str, Any]) -> None:
    if "advance_ms" in step:
        run.clock.now_ms += step["advance_ms"]
        return
    if "parallel" in step:
        await asyncio.gather(*(perform(client, run, one) for one in step["parallel"]))
        return
    if step["call"] == "clear_cache":
        client.clear_cache()
        return
    before = len(run.events)
    run.clock.cancels = step.get("cancel_in_wait", False)
    value, error = None, None
    try:
        if step["call"] == "events":
            value = await take(client, step)
        else:
            task = asyncio.ensure_future(start(client, step))
            if "cancel_after_ms" in step:
                asyncio.get_running_loop().call_later(step["cancel_after_ms"] / 1000, task.cancel)
            value = await task
    except (RegistryError, asyncio.CancelledError) as caught:
        error = caught
    run.expect(step, value, error, run.events[before:])


async def take(client: SchemaRegistryClient, step: Dict[str, Any]) -> List[Any]:
    stream = client.events(after=step["args"]["after"])
    try:
        return [await stream.__anext__() for _ in range(step["take"])]
    finally:
        await stream.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("vector", CASES)
async def test_async(vector: Dict[str, Any], server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "llm_schema_registry")
    begun = server.script(vector["exchanges"])
    run = Run(vector)
    async with SchemaRegistryClient(begun["url"], **run.options()) as client:
        for step in vector["steps"]:
            await perform(client, run, step)
        ended = await asyncio.get_running_loop().run_in_executor(None, server.end, begun["run"])
        run.expect_end(client, ended, caplog.text)


def is_cancelled(step: Dict[str, Any]) -> bool:
    return "cancel_after_ms" in step or "cancel_in_wait" in step or any(is_cancelled(one) for one in step.get("parallel", []))


def perform_sync(client: SyncSchemaRegistry, run: Run, step: Dict[str, Any]) -> None:
    if "advance_ms" in step:
        run.clock.now_ms += step["advance_ms"]
        return
    if "parallel" in step:
        failures: List[BaseException] = []

        def perform_one(one: Dict[str, Any]) -> None:
            try:
                perform_sync(client, run, one)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=perform_one, args=(one,)) for one in step["parallel"]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for failure in failures:
            raise failure
        return
    if step["call"] == "clear_cache":
        client.clear_cache()
        return
    before = len(run.events)
    value, error = None, None
    try:
        if step["call"] == "events":
            stream = client.events(after=step["args"]["after"])
            value = [next(stream) for _ in range(step["take"])]
            stream.close()  # type: ignore[attr-defined]
        else:
            value = start(client, step)
    except RegistryError as caught:
        error = caught
    run.expect(step, value, error, run.events[before:])


@pytest.mark.parametrize("vector", [case for case in CASES if not any(is_cancelled(step) for step in case.values[0]["steps"])])
def test_sync(vector: Dict[str, Any], server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "llm_schema_registry")
    begun = server.script(vector["exchanges"])
    run = Run(vector)
    with SyncSchemaRegistry(begun["url"], **run.options()) as client:
        for step in vector["steps"]:
            perform_sync(client, run, step)
        run.expect_end(client, server.end(begun["run"]), caplog.text)
