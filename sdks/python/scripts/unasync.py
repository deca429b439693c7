"""What turns the asynchronous client into the synchronous one; make.py runs it."""

import re
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "src" / "llm_schema_registry"

REPLACEMENTS = [
    (
        r"The asynchronous client: (.*?) ``sync.py`` is made from this file.",
        r"The synchronous client: \1 Made from ``client.py`` by scripts/make.py.",
    ),
    (r"async with self", "with self"),
    (r"``async with``", "``with``"),
    (r"async def __aenter__", "def __enter__"),
    (r"async def __aexit__", "def __exit__"),
    (r"async def __aiter__", "def __iter__"),
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"Awaitable\[(Dict\[str, Any\])\]", r"\1"),
    (r"AsyncIterator", "Iterator"),
    (r"\bAwaitable, ", ""),
    (r"AsyncDriver", "SyncDriver"),
    (r"AsyncFlights", "SyncFlights"),
    (r"httpx\.AsyncClient", "httpx.Client"),
    (r"\.aread\(\)", ".read()"),
    (r"aiter_lines", "iter_lines"),
    (r"\bSchemaRegistryClient\b", "SyncSchemaRegistry"),
    (r"\bPages\b", "SyncPages"),
    (r'\n\nSchemaRegistry = SyncSchemaRegistry\n"""The same class under the shorter name."""\n', "\n"),
]


def convert(source: str) -> str:
    for pattern, replacement in REPLACEMENTS:
        source = re.sub(pattern, replacement, source)
    return source
