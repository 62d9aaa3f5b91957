"""How parent and child talk: small headers of JSON on a socket, files and pixels in shared memory.

A message is a fixed prefix (magic, version, length of the header, length of the payload), then the header.
The payload lies in a memory file from offset 0, one for each direction; it is read and written with
``preadv`` and ``pwrite`` and never mapped, so that neither side can be killed by the other cutting it short.
A file that lies on the disk is not sent: a child is started with that very file, open for reading, in place
of the memory file that it would read. Nothing is pickled.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import tempfile
import time
import weakref
from collections.abc import Mapping
from typing import Any

from hmar.contents import FileBytes

MAGIC = b"HMRD"
VERSION = 1
MAX_HEADER_BYTES = 1 << 20
KEPT_BYTES = 64 << 20
"""A memory file that has grown larger is emptied after use."""

SEND_S = 10.0
"""A header fits into the socket's buffer; who does not take it for so long does not work."""

Header = Mapping[str, Any]
_PREFIX = struct.Struct(">4sHIQ")


class MessageError(Exception):
    """What arrived is no message of this format and version."""


class EndedError(Exception):
    """The other side is gone."""


class Channel:
    """One side of a conversation.

    Parameters
    ----------
    connection : socket
        A connected stream socket.
    incoming, outgoing : int
        Descriptors of the memory files that the other side writes, and that this side writes.
    """

    def __init__(self, connection: socket.socket, incoming: int, outgoing: int) -> None:
        self._connection = connection
        self._incoming = incoming
        self._outgoing = outgoing
        self.close = weakref.finalize(self, _close, connection, (incoming, outgoing))
        """Close the socket and the memory files; a second call does nothing."""

    def send(
        self, header: Header, payload: memoryview | bytes = b"", following: Header | None = None
    ) -> None:
        """Send a message, and one without a payload right after it; raises EndedError if nobody listens."""
        view = memoryview(payload).cast("B")
        written = 0
        while written < len(view):
            written += os.pwrite(self._outgoing, view[written:], written)
        messages = _framed(header, len(view)) + (b"" if following is None else _framed(following, 0))
        try:
            if self._connection.gettimeout() is not None:  # left by what was waited for last
                self._connection.settimeout(SEND_S)
            self._connection.sendall(messages)
        except OSError as error:
            raise EndedError from error

    def receive(self, deadline: float | None = None) -> tuple[dict[str, Any], int]:
        """Wait for a message; return its header and the size of its payload.

        Parameters
        ----------
        deadline : float or None
            On the clock of ``time.monotonic``; None waits for ever.

        Raises
        ------
        EndedError
            If the other side is gone.
        TimeoutError
            If the deadline passes.
        MessageError
            If what arrives is no message.
        """
        magic, version, header_bytes, payload_bytes = _PREFIX.unpack(self._exactly(_PREFIX.size, deadline))
        if magic != MAGIC or version != VERSION or header_bytes > MAX_HEADER_BYTES:
            raise MessageError
        try:
            header = json.loads(self._exactly(header_bytes, deadline), parse_int=_whole)
        except (ValueError, RecursionError) as error:
            raise MessageError from error
        if not isinstance(header, dict):
            raise MessageError
        return header, payload_bytes

    def read_into(self, target: memoryview) -> None:
        """Fill a buffer with the first bytes of the payload; raises MessageError if there are fewer."""
        done, view = 0, target.cast("B")
        while done < len(view):
            count = os.preadv(self._incoming, [view[done:]], done)
            if count <= 0:
                raise MessageError
            done += count

    def payload(self, size: int) -> bytes:
        """Return the payload; raises MessageError if it is shorter."""
        data = os.pread(self._incoming, size, 0)
        while len(data) < size:
            part = os.pread(self._incoming, size - len(data), len(data))
            if not part:
                raise MessageError
            data += part
        return data

    def file(self, start: int, size: int) -> FileBytes:
        """Return bytes of the file that this side was given in place of what the other writes."""
        return FileBytes(self._incoming, start, size)

    def trim(self, size: int) -> None:
        """Give back the memory of both files after a payload of ``size`` bytes, where that was large."""
        if size > KEPT_BYTES:
            for descriptor in (self._incoming, self._outgoing):
                os.ftruncate(descriptor, 0)

    def ended(self) -> bool:
        """Whether the other side is gone, or has said something unasked."""
        try:
            self._connection.settimeout(0)
            self._connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def _exactly(self, size: int, deadline: float | None) -> bytes:
        parts, missing = [], size
        while missing:
            if deadline is not None:
                # 0 would mean: do not wait, and raise another error.
                self._connection.settimeout(max(deadline - time.monotonic(), 1e-6))
            try:
                part = self._connection.recv(min(missing, 1 << 16))
            except TimeoutError:
                raise
            except OSError as error:
                raise EndedError from error
            if not part:
                raise EndedError
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


def memory_file() -> int:
    """Return the descriptor of a file without a name, in memory where the system can do that."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("hmar-decoding", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _whole(digits: str) -> int:
    """Return a whole number of 64 bits; raises ValueError for a larger one, which no float may hold."""
    number = int(digits)
    if abs(number) >> 63:
        raise ValueError
    return number


def _framed(header: Header, payload_bytes: int) -> bytes:
    encoded = json.dumps(header, allow_nan=False, separators=(",", ":")).encode()
    return _PREFIX.pack(MAGIC, VERSION, len(encoded), payload_bytes) + encoded


def _close(connection: socket.socket, descriptors: tuple[int, ...]) -> None:
    connection.close()
    for descriptor in descriptors:
        os.close(descriptor)
