"""Subject names as the registry reads them: a bare name in a context, or the qualified form ``:.ctx:subject``."""

import re
from typing import Optional, Tuple
from urllib.parse import quote


def split_subject(name: str, default_context: Optional[str]) -> Tuple[str, str]:
    """The context, "." for the default one, and the bare name."""
    qualified = re.fullmatch(r":(\.[^:]*):(.*)", name, re.DOTALL)
    if qualified is not None:
        return qualified.group(1), qualified.group(2)
    context = default_context or "."
    return (context if context.startswith(".") else f".{context}"), name


def qualify(context: str, subject: str) -> str:
    return subject if context == "." else f":{context}:{subject}"


def encode(part: str) -> str:
    """One part of a path, percent-encoded by itself."""
    return quote(part, safe="")
