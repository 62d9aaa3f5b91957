"""Bodies: small ones in memory, larger ones in a temporary file and only where they will be used."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from tempfile import TemporaryFile
from typing import IO

from service.edge.messages import Head
from service.edge.pace import Pace
from service.edge.threads import Threads
from service.edge.wire import Wire

UNASKED_BYTES = 512 << 10
"""Bodies up to this size are taken in before the application is asked."""

Ask = Callable[[bool], Awaitable[None]]
"""Takes whether the body is too large; raises the application's Refusal if the body will not be used."""


@asynccontextmanager
async def taken_in(
    wire: Wire, head: Head, pace: Pace, max_bytes: int, ask: Ask, disk: Threads
) -> AsyncIterator[tuple[IO[bytes], int]]:
    """Read the body of a request; give a file that stands at its beginning, and its size.

    Parameters
    ----------
    wire : Wire
    head : Head
    pace : Pace
        Of the body.
    max_bytes : int
        The largest body.
    ask : callable
        Asks the application; called for a body above UNASKED_BYTES, and for one in chunks, before it comes.
    disk : Threads
        Write the temporary file, so that a slow disk keeps nobody else waiting.

    Raises
    ------
    Refusal
        If the body is too slow, is too large or will not be used.
    """
    if head.chunked or head.body_bytes > UNASKED_BYTES or head.body_bytes > max_bytes:
        await ask(head.body_bytes > max_bytes)
    taken, size, pending = _Spool(disk), 0, bytearray()
    try:
        while (data := await wire.body(pace)) is not None:
            size += len(data)
            if size > max_bytes:
                await ask(True)
            pending += data
            if size > UNASKED_BYTES and len(pending) >= UNASKED_BYTES:
                await taken.append(pending)
                pending = bytearray()
        yield await taken.finish(pending), size
    finally:
        taken.close()


class _Spool:
    """A temporary file that is made when something is written to it."""

    def __init__(self, disk: Threads) -> None:
        self._disk = disk
        self._file: IO[bytes] | None = None
        self._used = False

    async def append(self, data: bytearray) -> None:
        """Write to the file; a write that is not waited for any more still ends before the file is closed."""
        self._used = True
        await asyncio.shield(asyncio.wrap_future(self._disk.submit(lambda: self._write(data))))

    async def finish(self, rest: bytearray) -> IO[bytes]:
        """Return all that was written, from its beginning."""
        if not self._used:
            return io.BytesIO(rest)
        await self.append(rest)
        if self._file is None:
            raise OSError("no temporary file")
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Give back the file, after what is being written to it."""
        if self._used:
            self._disk.submit(self._close)

    def _write(self, data: bytearray) -> None:
        if self._file is None:
            self._file = TemporaryFile()  # noqa: SIM115 - closed by close()
        self._file.write(data)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
