"""UIDs: which texts are some, and those that are made where a file has none or another image has its own."""

from __future__ import annotations

import re

UID = "[0-9A-Za-z][0-9A-Za-z._-]{0,63}"
"""What a UID of a PACS may be, also of another form than PS3.5 9.1 has: it stands in addresses."""


def is_uid(text: str) -> bool:
    """Whether a text can be a UID of a PACS."""
    return re.fullmatch(UID, text) is not None


def derived_uid(digest: bytes) -> str:
    """Return the UID 2.25.<128-bit integer> (PS3.5 B.2) of the first 16 bytes of a digest."""
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"
