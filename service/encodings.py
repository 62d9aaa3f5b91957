"""Content codings that browsers undo themselves: zstd (RFC 8878), for whoever takes it, and gzip."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Literal

import zstandard
from werkzeug.datastructures import Accept

Coding = Literal["zstd", "gzip", "identity"]

_LEVEL = 1
"""Higher levels take several times as long and save a tenth at most (ADR 44)."""

_ENCODERS: dict[Coding, Callable[[bytes], bytes]] = {
    "zstd": lambda content: zstandard.ZstdCompressor(level=_LEVEL).compress(content),
    "gzip": lambda content: gzip.compress(content, _LEVEL, mtime=0),
    "identity": lambda content: content,
}


def chosen_coding(accepted: Accept) -> Coding:
    """Return the first of our codings that an Accept-Encoding names with a weight above 0."""
    weights = {name.lower(): weight for name, weight in accepted}
    for coding in _ENCODERS:
        if weights.get(coding, 0) > 0:
            return coding
    return "identity"


def encoded(content: bytes, coding: Coding) -> bytes:
    """Return a content in a coding."""
    return _ENCODERS[coding](content)
