"""The drivers that run the engine over httpx, and their clocks."""

import asyncio
import contextlib
import ssl
import threading
import time
from typing import Any, AsyncIterator, Awaitable, Callable, Dict, Generator, Hashable, Iterator, Optional, TypeVar, Union

import httpx

from ._engine.call import Answer, Lost, Send, Sleep, Step
from ._engine.constants import CONNECT_TIMEOUT_S, EVENT_IDLE_S

Value = TypeVar("Value")
Steps = Generator[Step, Union[Answer, Lost, None], Value]


class Clock:
    """The client's only source of time. Tests replace it."""

    def monotonic_ms(self) -> float:
        return time.monotonic() * 1000

    def wall_ms(self) -> float:
        return time.time() * 1000

    def sleep(self, ms: float) -> None:
        time.sleep(ms / 1000)

    async def sleep_async(self, ms: float) -> None:
        await asyncio.sleep(ms / 1000)


def _describe_failure(error: httpx.HTTPError) -> Lost:
    cause: Optional[BaseException] = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Lost("hopeless", False, error)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectTimeout):
        return Lost("lost", False, error)
    if isinstance(error, httpx.TimeoutException):
        return Lost("timeout", True, error)
    if isinstance(error, (httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
        return Lost("hopeless", False, error)
    return Lost("lost", not isinstance(error, httpx.ConnectError), error)


def _limits(timeout_s: float) -> httpx.Timeout:
    return httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s))


class AsyncDriver:
    def __init__(self, clock: Clock, http_client: Optional[httpx.AsyncClient]) -> None:
        self._clock = clock
        self._http = http_client or httpx.AsyncClient(follow_redirects=False)
        self._owns = http_client is None

    async def drive(self, steps: "Steps[Value]") -> Value:
        result: Union[Answer, Lost, None] = None
        try:
            while True:
                step = steps.send(result)
                try:
                    if isinstance(step, Sleep):
                        await self._clock.sleep_async(step.ms)
                        result = None
                    else:
                        result = await self._send(step)
                except BaseException as error:
                    steps.throw(error)
                    raise
        except StopIteration as ended:
            value: Value = ended.value
            return value

    async def _send(self, send: Send) -> Union[Answer, Lost]:
        async def exchange() -> Answer:
            response = await self._http.request(
                send.method, send.url, headers=send.headers, content=send.body, timeout=_limits(send.timeout_s), follow_redirects=False
            )
            return Answer(response.status_code, response.headers, response.text)

        try:
            return await asyncio.wait_for(exchange(), send.timeout_s)
        except asyncio.TimeoutError as error:
            return Lost("timeout", True, error)
        except httpx.HTTPError as error:
            return _describe_failure(error)

    @contextlib.asynccontextmanager
    async def stream(self, url: str, headers: Dict[str, str]) -> AsyncIterator[httpx.Response]:
        timeout = httpx.Timeout(EVENT_IDLE_S, connect=CONNECT_TIMEOUT_S)
        async with self._http.stream("GET", url, headers=headers, timeout=timeout, follow_redirects=False) as response:
            yield response

    async def sleep(self, ms: float) -> None:
        await self._clock.sleep_async(ms)

    async def close(self) -> None:
        if self._owns:
            await self._http.aclose()


class SyncDriver:
    def __init__(self, clock: Clock, http_client: Optional[httpx.Client]) -> None:
        self._clock = clock
        self._http = http_client or httpx.Client(follow_redirects=False)
        self._owns = http_client is None

    def drive(self, steps: "Steps[Value]") -> Value:
        result: Union[Answer, Lost, None] = None
        try:
            while True:
                step = steps.send(result)
                try:
                    if isinstance(step, Sleep):
                        self._clock.sleep(step.ms)
                        result = None
                    else:
                        result = self._send(step)
                except BaseException as error:
                    steps.throw(error)
                    raise
        except StopIteration as ended:
            value: Value = ended.value
            return value

    def _send(self, send: Send) -> Union[Answer, Lost]:
        # httpx limits the time of each read, which a body that arrives slowly never exceeds.
        ends_at = time.monotonic() + send.timeout_s
        request = self._http.build_request(send.method, send.url, headers=send.headers, content=send.body, timeout=_limits(send.timeout_s))
        try:
            response = self._http.send(request, stream=True, follow_redirects=False)
            with contextlib.closing(response):
                chunks = []
                for chunk in response.iter_bytes():
                    chunks.append(chunk)
                    if time.monotonic() > ends_at:
                        return Lost("timeout", True)
            text = b"".join(chunks).decode("utf-8", errors="replace")
            return Answer(response.status_code, response.headers, text)
        except httpx.HTTPError as error:
            return _describe_failure(error)

    @contextlib.contextmanager
    def stream(self, url: str, headers: Dict[str, str]) -> Iterator[httpx.Response]:
        timeout = httpx.Timeout(EVENT_IDLE_S, connect=CONNECT_TIMEOUT_S)
        with self._http.stream("GET", url, headers=headers, timeout=timeout, follow_redirects=False) as response:
            yield response

    def sleep(self, ms: float) -> None:
        self._clock.sleep(ms)

    def close(self) -> None:
        if self._owns:
            self._http.close()


class CallerTimeout(Exception):
    """A caller's own timeout ended before the read that it shares."""


class AsyncFlights:
    """Merges concurrent reads of one key. The work stops when the last of its callers has cancelled."""

    def __init__(self) -> None:
        self._tasks: Dict[Hashable, asyncio.Task[Any]] = {}
        self._waiting: Dict[Hashable, int] = {}

    async def join(self, key: Hashable, timeout_s: Optional[float], start: Callable[[], Awaitable[Value]]) -> Value:
        task = self._tasks.get(key)
        if task is None or task.done():
            task = asyncio.ensure_future(start())
            self._tasks[key] = task
            self._waiting[key] = 0
        self._waiting[key] += 1
        try:
            value: Value = await asyncio.wait_for(asyncio.shield(task), timeout_s)
            return value
        except asyncio.TimeoutError:
            raise CallerTimeout from None
        finally:
            if self._tasks.get(key) is task:
                self._waiting[key] -= 1
                if self._waiting[key] == 0:
                    del self._tasks[key], self._waiting[key]
                    task.cancel()


class SyncFlights:
    """Merges reads of one key by concurrent threads: the first asks and the others wait for what it gets."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: Dict[Hashable, _SyncFlight] = {}

    def join(self, key: Hashable, timeout_s: Optional[float], start: Callable[[], Value]) -> Value:
        with self._lock:
            flight = self._flights.get(key)
            leads = flight is None
            if flight is None:
                flight = self._flights[key] = _SyncFlight()
        if leads and timeout_s is None:
            self._run(key, flight, start)
        elif leads:
            # The caller leaves before the read ends, and others may still wait for it.
            threading.Thread(target=self._run, args=(key, flight, start), daemon=True).start()
        if not flight.done.wait(timeout_s):
            raise CallerTimeout
        if flight.error is not None:
            raise flight.error
        value: Value = flight.value
        return value

    def _run(self, key: Hashable, flight: "_SyncFlight", start: Callable[[], Value]) -> None:
        try:
            flight.value = start()
        except BaseException as error:
            flight.error = error
        finally:
            with self._lock:
                del self._flights[key]
            flight.done.set()


class _SyncFlight:
    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: Any = None
        self.error: Optional[BaseException] = None
