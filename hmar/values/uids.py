"""UIDs that are made where a file has none, or where another image has its own."""

from __future__ import annotations


def derived_uid(digest: bytes) -> str:
    """Return the UID 2.25.<128-bit integer> (PS3.5 B.2) of the first 16 bytes of a digest."""
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"
