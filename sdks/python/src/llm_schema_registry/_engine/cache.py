"""A bounded cache of answers that evicts the least recently used first. Ages are measured on the monotonic clock."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Dict, Optional, Tuple

from .constants import MAX_CACHE_BYTES, MAX_CACHE_ENTRIES
from .token import Token, is_before

Key = Tuple[Any, ...]


@dataclass
class CacheEntry:
    value: Any
    etag: Optional[str]
    token: Optional[Token]
    stored_at_ms: float
    lifetime_ms: float
    size: int
    """UTF-8 bytes of the answer it was made from."""
    subject: Optional[str]
    """The qualified subject whose changes remove it."""
    stale_until_ms: float = 0.0
    """No attempt is made before this moment while the expired entry is used instead of an answer."""
    derived: Dict[str, Any] = field(default_factory=dict)
    """Derived from the value, such as a validator; evicted with the entry."""


class Cache:
    """Safe to share between threads."""

    def __init__(self, max_entries: int = MAX_CACHE_ENTRIES, max_bytes: int = MAX_CACHE_BYTES) -> None:
        self._entries: OrderedDict[Key, CacheEntry] = OrderedDict()
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._bytes = 0
        self._lock = threading.RLock()
        self.generation = 0
        """Raised by writes and by ``clear``: a read that began before does not store its result."""
        self.counts = {"hits": 0, "misses": 0, "revalidated": 0, "stale": 0}

    def read(self, key: Key) -> Optional[CacheEntry]:
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def store(self, key: Key, entry: CacheEntry) -> None:
        """Keeps an entry, unless one of a newer state is kept already."""
        with self._lock:
            held = self._entries.get(key)
            if held is not None and held.token is not None and entry.token is not None and is_before(entry.token, held.token):
                return
            self.remove(key)
            if entry.size > self._max_bytes or self._max_entries < 1:
                return
            self._entries[key] = entry
            self._bytes += entry.size
            while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
                self.remove(next(iter(self._entries)))

    def remove(self, key: Key) -> None:
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is not None:
                self._bytes -= entry.size

    def forget_subject(self, subject: str) -> None:
        """Removes a subject's records, numbers and heads. Content is kept, because it never changes."""
        with self._lock:
            self.generation += 1
            for key in [key for key, entry in self._entries.items() if entry.subject == subject]:
                self.remove(key)

    def clear(self) -> None:
        with self._lock:
            self.generation += 1
            self._entries.clear()
            self._bytes = 0

    def count(self, name: str) -> None:
        with self._lock:
            self.counts[name] += 1

    def stats(self) -> Dict[str, int]:
        with self._lock:
            return {**self.counts, "entries": len(self._entries), "bytes": self._bytes}
