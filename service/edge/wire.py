"""One connection: HTTP/1.1 by h11, and every wait with a deadline."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from http import HTTPStatus

import h11

from service.edge.messages import PIECE_BYTES, Answer, Gone
from service.edge.pace import Pace
from service.edge.refusals import malformed, refusal, too_slow

MAX_HEAD_BYTES = 64 << 10
READ_BYTES = 64 << 10
_CONTINUE = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")


class Wire:
    """Reads requests from a connection and writes answers to it.

    All methods that wait raise Gone where the client is gone, and reading ones a Refusal for what is no HTTP.

    Parameters
    ----------
    reader, writer : asyncio streams
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
        # drain() then waits until the operating system has taken everything, not until most of it.
        writer.transport.set_write_buffer_limits(high=0)

    async def begun(self, deadline: float) -> bool:
        """Wait for the first byte of a request; False if none comes in time, or the client left."""
        if self._http.trailing_data[0]:
            return True
        try:
            async with asyncio.timeout_at(deadline):
                return await self._receive()
        except TimeoutError:
            return False

    async def head(self, deadline: float) -> h11.Request:
        """Return the line and headers of the next request; raises a Refusal (408) at the deadline."""
        while True:
            event = self._next()
            if isinstance(event, h11.Request):
                return event
            if isinstance(event, h11.ConnectionClosed):
                raise Gone
            try:
                async with asyncio.timeout_at(deadline):
                    await self._receive()
            except TimeoutError as error:
                raise too_slow("head") from error

    async def body(self, pace: Pace) -> bytes | None:
        """Return the next part of the body, None at its end; raises a Refusal (408) if it is too slow.

        A client that waits to be told to send it is told.
        """
        if self._http.they_are_waiting_for_100_continue:
            await self._write(self._http.send(_CONTINUE), pace)
        while True:
            event = self._next()
            if isinstance(event, h11.Data):
                pace.moved(len(event.data))
                return bytes(event.data)
            if isinstance(event, h11.EndOfMessage):
                return None
            try:
                async with asyncio.timeout_at(pace.deadline):
                    await self._receive()
            except TimeoutError as error:
                raise too_slow("body") from error

    async def answer(self, answer: Answer, pace: Pace, *, last: bool = False) -> None:
        """Send an answer; raises Gone where the client does not read it in time."""
        headers = [*answer.headers, (b"Date", formatdate(usegmt=True).encode("ascii"))]
        if last:
            headers.append((b"Connection", b"close"))
        start = h11.Response(status_code=answer.status, headers=headers, reason=answer.reason.encode("ascii"))
        waiting = self._http.send(start) or b""
        for piece in answer.pieces():
            waiting += self._http.send(h11.Data(data=piece)) or b""
            if len(waiting) >= PIECE_BYTES:
                await self._write(waiting, pace)
                waiting = b""
        await self._write(waiting + (self._http.send(h11.EndOfMessage()) or b""), pace)

    def next_cycle(self) -> bool:
        """Make ready for another request; False where the connection ends after this one."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            return True
        return False

    @property
    def may_answer(self) -> bool:
        """Whether an answer can still be sent."""
        return self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE)

    @property
    def whole(self) -> bool:
        """Whether the request was read to its end."""
        return self._http.their_state in (h11.DONE, h11.MUST_CLOSE)

    @property
    def expects(self) -> bool:
        """Whether the client waits to be told to send the body, and has not sent it."""
        return self._http.they_are_waiting_for_100_continue

    def left(self) -> bool:
        """Return whether the client is known to have ended its side of the connection."""
        return self._reader.at_eof() or self._writer.transport.is_closing()

    async def discard(self, most: int, deadline: float) -> None:
        """Read and forget what still comes: a client that is sending reads no answer."""
        try:
            async with asyncio.timeout_at(deadline):
                while most > 0 and (data := await self._reader.read(READ_BYTES)):
                    most -= len(data)
        except OSError:
            return

    def finish(self) -> None:
        """Tell the client that no more is sent."""
        if self._writer.can_write_eof() and not self._writer.transport.is_closing():
            self._writer.write_eof()

    def abort(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()

    def _next(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            # Its message quotes what was sent, which may hold a key.
            if self._reader.at_eof():
                raise Gone from None
            raise _not_http(error.error_status_hint) from None

    async def _receive(self) -> bool:
        try:
            data = await self._reader.read(READ_BYTES)
        except OSError:
            raise Gone from None
        self._http.receive_data(data)
        return bool(data)

    async def _write(self, data: bytes | None, pace: Pace) -> None:
        if not data:
            return
        self._writer.write(data)
        try:
            async with asyncio.timeout_at(pace.deadline):
                await self._writer.drain()
        except OSError:  # TimeoutError among them
            raise Gone from None
        pace.moved(len(data))


def _not_http(status: int) -> Exception:
    if status == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
        return refusal(
            431, f"The head has more than {MAX_HEAD_BYTES} bytes.", "Send fewer or shorter headers."
        )
    if status == HTTPStatus.NOT_IMPLEMENTED:
        return refusal(501, "The transfer coding is not known.", "Send a Content-Length, or chunks.")
    return malformed("This is no request of HTTP/1.1.")
