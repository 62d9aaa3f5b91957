"""Bodies: small ones in memory, larger ones in a temporary file and only where they will be used."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, NamedTuple

from hmar.disk import free_bytes
from service.edge.environ import body_bytes, chunked
from service.edge.exchange import Exchange
from service.edge.messages import Environ
from service.edge.pace import Pace
from service.edge.threads import Threads

UNASKED_BYTES = 512 << 10
"""Bodies up to this size are taken in before the application is asked, and kept in memory."""

Ask = Callable[[bool], Awaitable[None]]
"""Takes whether the body is too large; raises the application's Refusal if the body will not be used."""


class Room(NamedTuple):
    """Room on a disk for what is not held in memory.

    Parameters
    ----------
    folder : Path or None
        None takes the system's for temporary files.
    least_free_bytes : int
        Left to others of that disk: the database is on it.
    """

    folder: Path | None = None
    least_free_bytes: int = 0

    def write(self, file: IO[bytes], piece: bytes | bytearray) -> int:
        """Write to a temporary file, and return how many bytes; raises OSError where there is no room."""
        if self.folder is not None and free_bytes(self.folder) < self.least_free_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return file.write(piece)


@asynccontextmanager
async def taken_in(
    exchange: Exchange,
    environ: Environ,
    pace: Pace,
    max_bytes: int,
    ask: Ask,
    disk: Threads,
    room: Room,
) -> AsyncIterator[tuple[IO[bytes], int]]:
    """Read the body of a request; give a file that stands at its beginning, and its size.

    Parameters
    ----------
    exchange : Exchange
    environ : dict
    pace : Pace
        Of the body.
    max_bytes : int
        The largest body.
    ask : callable
        Asks the application; called for a body above UNASKED_BYTES, and for one in chunks, before it comes.
    disk : Threads
        One, which writes the temporary file, so that a slow disk keeps nobody else waiting.
    room : Room
        Where that is.

    Raises
    ------
    OSError
        If the disk has no room for it.
    Refusal
        If the body is too slow, is too large or will not be used.
    """
    announced = body_bytes(environ)
    if chunked(environ) or announced > min(UNASKED_BYTES, max_bytes):
        await ask(announced > max_bytes)
    file = SpooledTemporaryFile(UNASKED_BYTES, dir=None if room.folder is None else str(room.folder))  # noqa: SIM115 - closed below
    size, pending = 0, bytearray()
    try:
        while not exchange.whole:
            pending += await exchange.read(pace)
            if size + len(pending) > max_bytes:
                await ask(True)
            if len(pending) > UNASKED_BYTES:
                size += await asyncio.wrap_future(disk.submit(partial(room.write, file, pending)))
                pending = bytearray()
        if size:
            size += await asyncio.wrap_future(disk.submit(partial(room.write, file, pending)))
        else:
            size = file.write(pending)
        file.seek(0)
        yield file, size
    finally:
        # After what is still being written.
        disk.submit(file.close)
