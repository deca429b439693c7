"""Stops asking a registry that does not answer. Counted in attempts."""

import math
import threading
from dataclasses import dataclass
from typing import Union

from .constants import BREAKER_FAILURES, BREAKER_OPEN_MS


@dataclass(frozen=True)
class Permit:
    """Permission for one attempt; used to report its outcome."""

    generation: int


@dataclass(frozen=True)
class Refused:
    retry_after_ms: int


class Breaker:
    """``closed``, ``open`` or ``half-open``. Safe to share between threads."""

    def __init__(self, failures: int = BREAKER_FAILURES, open_ms: float = BREAKER_OPEN_MS) -> None:
        self._failures = failures
        self._open_ms = open_ms
        self._lock = threading.Lock()
        self._failed = 0
        self._opened_at_ms = 0.0
        self._generation = 0
        self._trial_runs = False
        self.state = "closed"

    def admit(self, now_ms: float) -> Union[Permit, Refused]:
        with self._lock:
            if self.state == "open":
                left_ms = self._opened_at_ms + self._open_ms - now_ms
                if left_ms > 0:
                    return Refused(math.ceil(left_ms))
                self._enter("half-open")
            if self.state == "half-open":
                if self._trial_runs:
                    return Refused(math.ceil(self._open_ms))
                self._trial_runs = True
            return Permit(self._generation)

    def report(self, permit: Permit, outcome: str, now_ms: float) -> None:
        """``alive``, ``failed``, or ``none`` if the attempt was cancelled. Those that began before a change of state do not affect it."""
        with self._lock:
            if permit.generation != self._generation:
                return
            if self.state == "half-open":
                self._trial_runs = False
                if outcome == "alive":
                    self._enter("closed")
                elif outcome == "failed":
                    self._open(now_ms)
            elif outcome == "alive":
                self._failed = 0
            elif outcome == "failed":
                self._failed += 1
                if self._failed >= self._failures:
                    self._open(now_ms)

    def _open(self, now_ms: float) -> None:
        self._opened_at_ms = now_ms
        self._enter("open")

    def _enter(self, state: str) -> None:
        self.state = state
        self._failed = 0
        self._trial_runs = False
        self._generation += 1
