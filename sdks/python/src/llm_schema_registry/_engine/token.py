"""Consistency tokens: ``<epoch>.<seq>.<seq of the last hard delete>``."""

import re
from dataclasses import dataclass
from typing import Optional

_TOKEN = re.compile(r"([0-9]{1,15})\.([0-9]{1,15})\.([0-9]{1,15})", re.ASCII)


@dataclass(frozen=True)
class Token:
    """A state of the registry. Of two, the newer has the greater epoch, and at the same epoch the greater seq."""

    epoch: int
    seq: int
    hard_delete_seq: int
    text: str


def parse_token(text: Optional[str]) -> Optional[Token]:
    found = _TOKEN.fullmatch(text) if text else None
    if found is None:
        return None
    epoch, seq, hard_delete_seq = (int(part) for part in found.groups())
    return Token(epoch, seq, hard_delete_seq, found.group()) if hard_delete_seq <= seq else None


def newest_token(held: Optional[Token], incoming: Token) -> Token:
    """Keeps one of them whole; parts of two tokens are never combined."""
    if held is None:
        return incoming
    if (held.epoch, held.seq) != (incoming.epoch, incoming.seq):
        return held if (held.epoch, held.seq) > (incoming.epoch, incoming.seq) else incoming
    return incoming if incoming.hard_delete_seq < held.hard_delete_seq else held


def is_before(token: Token, other: Token) -> bool:
    """Whether a token is of an earlier state than another."""
    return (token.epoch, token.seq) < (other.epoch, other.seq)


def reaches_token(held: Optional[Token], required: Optional[Token], *, content: bool) -> bool:
    """Whether a value that was read at ``held`` satisfies what ``required`` asks. Content changes by a hard delete alone."""
    if required is None:
        return True
    if held is None:
        return False
    if held.epoch != required.epoch:
        return held.epoch > required.epoch
    return held.seq >= (required.hard_delete_seq if content else required.seq)


class Tokens:
    """The two tokens of a client, shared by its ``with_options`` copies."""

    def __init__(self) -> None:
        self.seen: Optional[Token] = None
        """The newest of all answers; sent with every read and registration."""
        self.wrote: Optional[Token] = None
        """The newest of the client's own writes; cached values must reach it."""
        self.unreadable = 0

    def learn(self, text: Optional[str], *, write: bool) -> Optional[Token]:
        if text is None:
            return None
        token = parse_token(text)
        if token is None:
            self.unreadable += 1
            return None
        self.seen = newest_token(self.seen, token)
        if write:
            self.wrote = newest_token(self.wrote, token)
        return token
