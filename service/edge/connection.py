"""One connection: its requests, one after the other, until it ends."""

from __future__ import annotations

import asyncio
import errno
import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace

from service.edge.bounds import Bounds
from service.edge.messages import METHODS, Answer, Gone, Head, Refusal
from service.edge.pace import Pace
from service.edge.refusals import malformed, refusal
from service.edge.wire import Wire
from service.problems import unexpected_detail

_log = logging.getLogger("hmar.service.edge")
_access = logging.getLogger("hmar.service.access")

IDLE_S = 60.0
"""How long a connection may be kept between two requests."""
DISCARDED_BYTES = 256 << 20
"""How much of the body of a refused request is read and forgotten."""
DISCARDED_S = 10.0

Handle = Callable[[Wire, Head], Awaitable[Answer]]


class Connection:
    """Reads requests, has them answered, and writes the answers.

    Parameters
    ----------
    wire : Wire
    peer : str
        Address of the other end.
    bounds : Bounds
    handle : callable
        Answers a request; may raise a Refusal.
    stopping : callable
        Returns whether the server ends: no further request is read then.
    """

    def __init__(
        self,
        wire: Wire,
        peer: str,
        bounds: Bounds,
        handle: Handle,
        stopping: Callable[[], bool],
    ) -> None:
        self.silent_since: float | None = None
        """Since when a request is waited for; None while one is in hand."""
        self._wire = wire
        self._peer = peer
        self._bounds = bounds
        self._handle = handle
        self._stopping = stopping

    async def serve(self) -> None:
        """Serve until the connection ends; raises nothing but cancellation."""
        wait_s = self._bounds.header_s
        try:
            while not self._stopping() and await self._one(wait_s):
                wait_s = IDLE_S
        except Gone:
            pass
        except Exception as error:
            # Its message may quote what was sent.
            _log.error("a connection failed: %s", type(error).__name__)
        finally:
            self._wire.abort()

    def abort(self) -> None:
        """End the connection at once."""
        self._wire.abort()

    async def _one(self, wait_s: float) -> bool:
        """Serve one request; return whether there may be another."""
        now = asyncio.get_running_loop().time
        self.silent_since = now()
        if not await self._wire.begun(now() + wait_s):
            return False
        head = None
        try:
            head = await self._head(now() + self._bounds.header_s)
            self.silent_since = None
            answer = await self._handle(self._wire, head)
        except Refusal as refused:
            answer = refused.answer
            if not refused.logged:
                _access.info("%s - %d", head.method if head else "-", answer.status)
        except (Gone, asyncio.CancelledError):
            raise
        except OSError as error:
            answer = _unavailable(error)
        except BaseException as error:
            answer = _unexpected(error)
        return await self._respond(head, answer)

    async def _head(self, deadline: float) -> Head:
        request = await self._wire.head(deadline)
        try:
            head = Head.of(request, self._peer)
        except ValueError:
            raise malformed("The target of the request is no address on this server.") from None
        if head.method not in METHODS:
            raise refusal(501, "The request's method is not one of HTTP.", "Use a method of HTTP (RFC 9110).")
        if head.chunked and head.value(b"content-length") is not None:
            raise malformed("The request has both a Content-Length and a Transfer-Encoding.")
        return head

    async def _respond(self, head: Head | None, answer: Answer) -> bool:
        self.silent_since = None
        last = not self._wire.whole or self._stopping()
        sends = not self._wire.whole and not self._wire.expects
        try:
            if head is not None and head.method == "HEAD":
                answer.close()
                answer = replace(answer, body=b"")
            if not self._wire.may_answer:
                return False
            pace = Pace(self._bounds.transfer_s, self._bounds.bytes_per_s)
            await self._wire.answer(answer, pace, last=last)
        finally:
            answer.close()
        if not last and self._wire.next_cycle():
            return True
        self._wire.finish()
        if sends:
            await self._wire.discard(DISCARDED_BYTES, asyncio.get_running_loop().time() + DISCARDED_S)
        return False


def _unavailable(error: OSError) -> Answer:
    """Answer where the body or the answer could not be kept in a temporary file."""
    error_id = uuid.uuid4().hex
    _log.error("%s: a temporary file failed: %s", error_id, errno.errorcode.get(error.errno or 0, "unknown"))
    return refusal(
        503, f"The server cannot keep the request (error {error_id}).", "Try again later.", 5.0
    ).answer


def _unexpected(error: BaseException) -> Answer:
    error_id = uuid.uuid4().hex
    _log.error("%s: %s passed the application", error_id, type(error).__name__)
    return refusal(500, *unexpected_detail(error_id)).answer
