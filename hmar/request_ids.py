"""The id of the request that is worked on: it is in its answer, its log lines and its messages to workers."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_VALID = re.compile(r"(?!hmar_)[A-Za-z0-9_-]{1,64}")
"""No dots, so that no UID is one, and no API key in the wrong place: ids are logged."""

_current: ContextVar[str] = ContextVar("request_id", default="")


def valid(text: str) -> bool:
    """Return whether a text may be an id: 1 to 64 letters, digits, hyphens and underscores."""
    return _VALID.fullmatch(text) is not None


def chosen(given: str) -> str:
    """Return the id that a client gave, or a new one in place of what cannot be one."""
    return given if valid(given) else uuid.uuid4().hex


def current() -> str:
    """Return the id of the request that this context works on; empty where it works on none."""
    return _current.get()


def begin(request_id: str) -> None:
    """Let this context work on a request from now on."""
    _current.set(request_id)


@contextmanager
def within(request_id: str) -> Iterator[None]:
    """Work on a request for as long as the block lasts."""
    token = _current.set(request_id)
    try:
        yield
    finally:
        _current.reset(token)
