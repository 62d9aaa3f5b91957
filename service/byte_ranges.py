"""Requests for a part of an answer: one range of bytes (RFC 9110, section 14)."""

from __future__ import annotations

import re
from typing import NamedTuple

from service.errors import RangeError

_ONE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


class ByteRange(NamedTuple):
    """The bytes from ``first`` to ``last``, both included, of ``size``."""

    first: int
    last: int
    size: int

    @property
    def header(self) -> str:
        """What Content-Range says."""
        return f"bytes {self.first}-{self.last}/{self.size}"

    def of(self, content: bytes) -> bytes:
        """Return the part of a content that this is."""
        return content[self.first : self.last + 1]


def asked_range(header: str | None, condition: str | None, tag: str) -> str | None:
    """Return the Range header of a request if it counts.

    Parameters
    ----------
    header, condition : str or None
        Range and If-Range.
    tag : str
        The strong ETag of what is there, without its quotes.

    Returns
    -------
    str or None
        None where everything is to be sent: without Range, for several ranges or other units, which a server
        may leave unread, and where If-Range names something else. A date in it does.
    """
    if header is None or (condition is not None and condition.strip() != f'"{tag}"'):
        return None
    found = _ONE.fullmatch(header.strip())
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    return None if first and last and int(last) < int(first) else header


def byte_range(header: str, size: int) -> ByteRange:
    """Return the range that a header names, which :func:`asked_range` let pass.

    Raises
    ------
    RangeError
        If it begins behind the last byte.
    """
    found = _ONE.fullmatch(header.strip())
    first, last = found.groups() if found else ("", "")
    if first:
        begin, end = int(first), min(int(last or size - 1), size - 1)
    else:
        begin, end = max(size - int(last or 0), 0), size - 1
    if begin > end:
        raise RangeError(
            f"The range {header.strip()[:40]!r} lies behind the {size} bytes.",
            f"Give a range that begins before byte {size}.",
            size,
        )
    return ByteRange(begin, end, size)
