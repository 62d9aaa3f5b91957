"""UIDs: which texts are some, and those that are made where a file has none or another image has its own."""

from __future__ import annotations

import re

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
LONGEST = 64
"""Characters of a UID (PS3.5 9.1)."""


def is_uid(text: str) -> bool:
    """Whether a text can be a UID. Leading zeros of a part, which PS3.5 9.1 forbids, are common."""
    return len(text) <= LONGEST and _UID.fullmatch(text) is not None


def derived_uid(digest: bytes) -> str:
    """Return the UID 2.25.<128-bit integer> (PS3.5 B.2) of the first 16 bytes of a digest."""
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"
