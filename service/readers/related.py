"""Bodies of several parts of one kind (multipart/related, RFC 2387), read piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from typing import IO

from service.errors import MalformedRequestError, MediaTypeError

PIECE_BYTES = 256 << 10
MAX_HEAD_BYTES = 16 << 10
"""Of the headers of one part."""
_BOUNDARY = re.compile(r"[ -~]{0,255}[!-~]")
"""Longer than the standard allows (RFC 2046 5.1.1): Orthanc's have 73 characters."""
_END_OF_HEAD = b"\r\n\r\n"


class RelatedParts:
    """The parts of a body. Of each, the bytes come in pieces; what is not asked for is passed over.

    Parts are told apart by the boundary alone: what their headers say of them is not looked at.

    Parameters
    ----------
    stream : binary file
        At the beginning of the body.
    boundary : bytes
        As the Content-Type names it.
    """

    def __init__(self, stream: IO[bytes], boundary: bytes) -> None:
        self._stream = stream
        self._delimiter = b"\r\n--" + boundary
        # The first boundary may be the first line of all.
        self._pending = b"\r\n"

    def __iter__(self) -> Iterator[Iterator[bytes]]:
        """Yield the parts in their order; raises MalformedRequestError where the body ends too early."""
        self._pass_over()
        while self._begins():
            body = self._until_boundary()
            yield body
            for _ in body:
                pass

    def _begins(self) -> bool:
        """Read what follows a boundary; return whether it is the head of a part, and not the end."""
        self._need(2)
        if self._pending[:2] == b"--":
            return False
        end = self._find_head_end()
        self._pending = self._pending[end:]
        return True

    def _find_head_end(self) -> int:
        while (end := self._pending.find(_END_OF_HEAD)) < 0:
            if len(self._pending) > MAX_HEAD_BYTES:
                raise MalformedRequestError("The head of a part has no end.", "Send multipart/related.")
            self._read()
        return end + len(_END_OF_HEAD)

    def _pass_over(self) -> None:
        for _ in self._until_boundary():
            pass

    def _until_boundary(self) -> Iterator[bytes]:
        """Yield what comes before the next boundary, and stand behind it."""
        kept = len(self._delimiter) - 1
        while (found := self._pending.find(self._delimiter)) < 0:
            if len(self._pending) > kept:
                piece, self._pending = self._pending[:-kept], self._pending[-kept:]
                yield piece
            self._read()
        piece, self._pending = self._pending[:found], self._pending[found + len(self._delimiter) :]
        if piece:
            yield piece

    def _need(self, count: int) -> None:
        while len(self._pending) < count:
            self._read()

    def _read(self) -> None:
        piece = self._stream.read(PIECE_BYTES)
        if not piece:
            raise MalformedRequestError(
                "The body ends before its last boundary.", "End it with the boundary and two hyphens."
            )
        self._pending += piece


def related_parts(content_type: str, kind: str, stream: IO[bytes]) -> RelatedParts:
    """Return the parts of a body.

    Parameters
    ----------
    content_type : str
        The header of the request.
    kind : str
        Media type that the parts must be said to have.
    stream : binary file

    Raises
    ------
    MediaTypeError
        If the body is no multipart/related, or one of another kind.
    MalformedRequestError
        If no boundary is named that can be one.
    """
    head = Message()
    head["Content-Type"] = content_type
    # Also without quotes, as some send it: werkzeug ends a value at its slash then.
    if head.get_content_type() != "multipart/related" or _parameter(head, "type").lower() != kind:
        raise MediaTypeError(
            "The body is not of the content type that is read here.",
            f'Send multipart/related; type="{kind}".',
        )
    boundary = _parameter(head, "boundary")
    if not _BOUNDARY.fullmatch(boundary):
        raise MalformedRequestError("The Content-Type names no boundary.", "Name the one that parts have.")
    return RelatedParts(stream, boundary.encode("ascii"))


def _parameter(head: Message, name: str) -> str:
    value = head.get_param(name, "")
    return value if isinstance(value, str) else ""
