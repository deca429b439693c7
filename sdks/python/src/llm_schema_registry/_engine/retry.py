"""Which answers are retried, and after what delay."""

import re
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Optional

from .constants import FIRST_WAIT_MS, LONGEST_WAIT_MS

_RETRIED = frozenset({429, 502, 503, 504})
_RETRIED_WITHOUT_KEY = frozenset({429, 503})


def is_retried_status(status: int, may_repeat: bool) -> bool:
    """409 is a verdict, and 500 a fault that a retry would meet again; neither is retried."""
    return status in (_RETRIED if may_repeat else _RETRIED_WITHOUT_KEY)


def jitter_ms(attempt: int, random: float, longest_ms: int = LONGEST_WAIT_MS) -> int:
    """Full jitter: ``random`` is drawn from [0, 1)."""
    return int(random * min(longest_ms, FIRST_WAIT_MS * 2 ** min(attempt - 1, 30)))


def parse_retry_after_ms(header: Optional[str], wall_ms: float) -> Optional[int]:
    """``Retry-After`` as seconds or as a date; a time that has passed is 0."""
    if header is None:
        return None
    text = header.strip()
    if re.fullmatch(r"-?[0-9]{1,9}", text):
        return max(0, int(text) * 1000)
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return max(0, int(date.timestamp() * 1000 - wall_ms))
