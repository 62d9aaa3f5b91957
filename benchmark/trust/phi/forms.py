"""The forms in which a text may turn up in bytes, and how much of them is there."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from urllib.parse import quote

Forms = frozenset[bytes]


def forms_of(text: str) -> Forms:
    """Return a text as bytes in each encoding, in both cases, and as hex, base64, URL and JSON."""
    found: set[bytes] = set()
    for cased in {text, text.lower(), text.upper(), text.title()}:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be", "latin-1"):
            plain = cased.encode(encoding, "ignore")
            found |= {plain, plain.hex().encode(), plain.hex().upper().encode(), *_base64(plain)}
        found |= {quote(cased).encode(), json.dumps(cased)[1:-1].encode(), ascii(cased)[1:-1].encode()}
    return frozenset(form for form in found if len(form) >= _FEWEST)


_FEWEST = 6
"""Shorter forms turn up by chance."""


def _base64(data: bytes) -> set[bytes]:
    """Return what a text looks like within base64: it begins at one of three places of a group."""
    found = set()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + data)
        # Without the characters that also depend on the neighbours.
        inner = whole[(0, 2, 3)[before] : len(whole) - (4 if (before + len(data)) % 3 else 0)]
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def bytes_found(data: bytes, planted: Mapping[str, Forms]) -> dict[str, int]:
    """Return how many bytes of each planted text are in some data; texts that are not there are left out."""
    found = {name: sum(len(form) * data.count(form) for form in forms) for name, forms in planted.items()}
    return {name: count for name, count in found.items() if count}


def all_forms(texts: Mapping[str, Iterable[str]]) -> dict[str, Forms]:
    """Return the forms of the texts under each name."""
    return {
        name: frozenset(form for text in several for form in forms_of(text))
        for name, several in texts.items()
    }
