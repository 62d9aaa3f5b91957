"""Bodies of multipart/related, for which schemathesis has no words; it loads this file as its hooks."""

from __future__ import annotations

from typing import Any

import schemathesis


def related_body(_context: Any, value: Any) -> bytes:
    """Return a value as the one part of a body."""
    data = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
    return b"--part\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n--part--"


schemathesis.serializer("multipart/related")(related_body)
