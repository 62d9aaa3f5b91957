"""How long the stages of one search take, noted where anybody asked to know."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, get_args

Stage = Literal["read", "encode", "scan", "catalogue"]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""To open and decode a frame, to encode it, to compare codes, and to ask the database."""

_noted: ContextVar[dict[Stage, float] | None] = ContextVar("stages", default=None)


def note_stages() -> dict[Stage, float]:
    """Return where the stages of this context are noted from now on: the seconds that each took in all."""
    noted: dict[Stage, float] = {}
    _noted.set(noted)
    return noted


@contextmanager
def stage(name: Stage) -> Iterator[None]:
    """Note how long the block takes, where anybody asked to know. Stages do not hold one another."""
    noted = _noted.get()
    if noted is None:
        yield
        return
    begun = time.perf_counter()
    try:
        yield
    finally:
        noted[name] = noted.get(name, 0.0) + time.perf_counter() - begun
