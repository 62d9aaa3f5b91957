"""One request and its answer over ASGI, with a deadline for the body."""

from __future__ import annotations

import asyncio

from service.edge.guard import Guard
from service.edge.messages import Answer, Gone, Head, Headers, Message, Receive, Send
from service.edge.pace import Pace
from service.edge.refusals import too_slow


class Exchange:
    """Reads the body of a request and sends the answer.

    The guard of the connection ends it where the client does not read; Gone is raised then.

    Parameters
    ----------
    guard : Guard
    receive, send : callable
        Of ASGI.
    """

    def __init__(self, guard: Guard, receive: Receive, send: Send) -> None:
        self.begun = False
        """Whether the answer has begun."""
        self.whole = False
        """Whether the body has come to its end."""
        self._guard = guard
        self._receive = receive
        self._send = send
        self._told = False

    def left(self) -> bool:
        """Return whether the client is known to have ended its side of the connection."""
        return self._guard.left

    def expect(self, head: Head) -> None:
        """Note whether the request has a body."""
        if not head.chunked and not head.body_bytes:
            self._end()

    async def read(self, pace: Pace) -> bytes:
        """Return the next part of the body; a client that waits to be told to send it is told.

        Raises
        ------
        Refusal
            If it is too slow (408).
        Gone
            If the client left.
        """
        self._told = True
        now = asyncio.get_running_loop().time
        since = now()
        try:
            async with asyncio.timeout(pace.left_s):
                message = await self._receive()
        except TimeoutError:
            raise too_slow("body") from None
        if message["type"] == "http.disconnect":
            raise Gone
        data: bytes = message["body"]
        pace.waited(now() - since, len(data))
        if not message["more_body"]:
            self._end()
        return data

    async def answer(self, answer: Answer, head: Head | None, *, closes: bool) -> None:
        """Send a whole answer."""
        silent = head is not None and head.method == "HEAD"
        unasked = head is not None and head.expects and not self._told
        try:
            await self.start(answer.status, answer.headers, closes=closes or unasked)
            for piece in () if silent else answer.pieces():
                await self.piece(piece)
            await self.end()
        finally:
            answer.close()

    async def start(self, status: int, headers: Headers, *, closes: bool = False) -> None:
        """Send status and headers."""
        self.begun = True
        ending = [(b"Connection", b"close")] if closes else []
        await self._sent({"type": "http.response.start", "status": status, "headers": [*headers, *ending]})

    async def piece(self, data: bytes) -> None:
        """Send a part of the answer's body, once the client has read what came before."""
        await self._sent({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        """Send the end of the answer."""
        await self._sent({"type": "http.response.body", "body": b"", "more_body": False})

    async def abandon(self) -> None:
        """End the connection at once, and wait until it is lost."""
        self._guard.abort()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _sent(self, message: Message) -> None:
        if self._guard.gone:
            raise Gone
        await self._send(message)

    def _end(self) -> None:
        self.whole = True
        self._guard.whole()
