"""One request and its answer over ASGI, with a deadline for the body."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hmar import request_ids
from service.edge.environ import body_bytes, chunked
from service.edge.guard import Guard
from service.edge.messages import Answer, Environ, Gone, Message, Receive, Send
from service.edge.pace import Pace
from service.edge.refusals import too_slow
from service.edge.work import Work

_REQUEST_ID = b"X-Request-ID"


class Exchange:
    """Reads the body of a request and sends the answer.

    The guard of the connection ends it where the client does not read; Gone is raised then.

    Parameters
    ----------
    guard : Guard
    receive, send : callable
        Of ASGI.
    stopping : callable
        Returns whether the server stops.
    """

    def __init__(
        self, guard: Guard, receive: Receive, send: Send, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self.whole = False
        """Whether the body has come to its end."""
        self._guard = guard
        self._receive = receive
        self._send = send
        self._stopping = stopping
        self._asks = False

    def left(self) -> bool:
        """Return whether the client is known to have ended its side of the connection."""
        return self._guard.left

    def expect(self, environ: Environ) -> None:
        """Note whether the request has a body, and whether the client waits to be told to send it."""
        self._asks = "100-continue" in environ.get("HTTP_EXPECT", "").lower()
        if not chunked(environ) and not body_bytes(environ):
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
        self._asks = False
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

    async def answer(self, answer: Answer, work: Work, *, closes: bool = False) -> None:
        """Send an answer, each piece once the client has read what came before.

        The application makes the next piece only then, so that a client that reads slowly holds no thread.
        """
        ending = [(b"Connection", b"close")] if closes or self._asks else []
        own = (_REQUEST_ID, request_ids.current().encode("ascii"))
        # Several requests may have one answer, such as those for health.
        others = (pair for pair in answer.headers if pair[0].lower() != _REQUEST_ID.lower())
        headers = [own, *others, *ending]
        try:
            await self._sent({"type": "http.response.start", "status": answer.status, "headers": headers})
            piece = answer.body
            while answer.rest is not None and piece:
                await self._sent({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await work.resume(answer.rest.next) if await self._goes_on(answer.pause_s) else b""
            await self._sent({"type": "http.response.body", "body": piece, "more_body": False})
        finally:
            if answer.rest is not None:
                work.submit(answer.rest.close)

    async def _goes_on(self, pause_s: float) -> bool:
        """Wait before the next piece; return whether there is to be one.

        An answer with pauses ends early when the server stops. Gone is raised where its client has ended its
        side of the connection: it would not be noticed otherwise.
        """
        if not pause_s:
            return True
        await asyncio.sleep(pause_s)
        if self._guard.left:
            raise Gone
        return not self._stopping()

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
