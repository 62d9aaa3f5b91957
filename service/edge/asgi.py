"""The ASGI application: what happens to a request between its head and its answer."""

from __future__ import annotations

import asyncio
import errno
import io
import logging
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from service.edge.body import taken_in
from service.edge.bounds import Bounds
from service.edge.clients import Client, address_of, client_of
from service.edge.exchange import Exchange
from service.edge.guard import CONNECTION, Guard
from service.edge.limits import Limits
from service.edge.messages import METHODS, Answer, Gone, Head, Message, Receive, Refusal, Send
from service.edge.pace import Pace
from service.edge.probes import Probes
from service.edge.refusals import malformed, overloaded, refusal
from service.edge.threads import Threads
from service.edge.work import Work
from service.edge.wsgi import AUTHORISED, Place, Stream, call, environ_of, whole
from service.problems import unexpected_detail

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_log = logging.getLogger("hmar.service.edge")
_access = logging.getLogger("hmar.service.access")

Ask = Callable[[dict[str, Any], bool], "WSGIApplication | None"]
"""Asks the application before a body comes.

Takes a request's environment, without body, and whether the body is too large; returns what refuses it.
"""


class Edge:
    """Answers requests: health at once, all others within the limits and as there is room.

    Parameters
    ----------
    application : WSGI application
    ask : callable
    place : Place
    bounds : Bounds
    max_body_bytes : int
    """

    def __init__(
        self, application: WSGIApplication, ask: Ask, place: Place, bounds: Bounds, max_body_bytes: int
    ) -> None:
        self._application = application
        self._ask = ask
        self._place = place
        self._bounds = bounds
        self._max_body_bytes = max_body_bytes
        self._probes = Probes(application, place)
        self._limits = Limits(bounds)
        self._work = Work(bounds.threads, bounds.waiting)
        self._asking = Threads(2, "asking")
        self._disk = Threads(2, "bodies")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI); raises nothing."""
        guard: Guard = scope["state"][CONNECTION]
        exchange = Exchange(guard, receive, send)
        guard.begin()
        try:
            await self._serve(scope, guard, exchange)
        except Gone:
            await exchange.abandon()
        except Exception as error:
            # Its message may quote what was sent.
            _log.error("an answer failed: %s", type(error).__name__)
            await exchange.abandon()
        finally:
            guard.finish()

    def stop(self) -> None:
        """End the threads once they are free."""
        for part in (self._probes, self._work, self._asking, self._disk):
            part.stop()

    async def _serve(self, scope: Message, guard: Guard, exchange: Exchange) -> None:
        head, closes = None, False
        try:
            head = _head(scope)
            exchange.expect(head)
            answer = await self._handled(head, guard, exchange)
        except Refusal as refused:
            answer, closes = refused.answer, refused.closes
            if not refused.logged:
                _access.info("%s - %d", head.method if head else "-", answer.status)
        except Gone:
            raise
        except asyncio.CancelledError:
            answer, closes = overloaded("The server stops.").answer, True
        except OSError as error:
            answer = _unavailable(error)
        except BaseException as error:
            answer = _unexpected(error)
        if answer is None:
            return
        if exchange.begun:
            raise Gone
        await exchange.answer(answer, head, closes=closes)

    async def _handled(self, head: Head, guard: Guard, exchange: Exchange) -> Answer | None:
        """Return the answer, or None where it was streamed."""
        if self._probes.answers(head):
            return await self._probes.answer(head)
        if guard.reserved:
            raise overloaded(f"All {self._bounds.connections} connections are in use.")
        client = client_of(head, self._bounds.proxies)
        with self._limits.admitted(client):
            self._work.check_room()
            return await self._worked(head, client, exchange)

    async def _worked(self, head: Head, client: Client, exchange: Exchange) -> Answer | None:
        pace = Pace(self._bounds.transfer_s, self._bounds.bytes_per_s)
        address = address_of(head, self._bounds.proxies)

        async def ask(too_large: bool) -> None:
            await self._asked(head, client, address, too_large)

        body = taken_in(exchange, head, pace, self._max_body_bytes, ask, self._disk)
        async with body as (file, size):
            environ = environ_of(head, address, self._place, file, size)
            answer = await self._work.run(lambda: call(self._application, environ), exchange.left)
            self._limits.note(client, answer.status, bool(environ.get(AUTHORISED)))
            if isinstance(answer, Stream):
                await self._streamed(answer, exchange)
                return None
        return answer

    async def _streamed(self, answer: Stream, exchange: Exchange) -> None:
        """Send an answer while the application makes it; a client that reads slowly holds no thread."""
        try:
            await exchange.start(answer.status, answer.headers)
            while (piece := await self._work.resume(answer.next)) is not None:
                await exchange.piece(piece)
            await exchange.end()
        finally:
            self._work.submit(answer.close)

    async def _asked(self, head: Head, client: Client, address: str, too_large: bool) -> None:
        environ = environ_of(head, address, self._place, io.BytesIO(), 0)

        def refused() -> Answer | None:
            refusing = self._ask(environ, too_large)
            return None if refusing is None else whole(refusing, environ)

        answer = await asyncio.wrap_future(self._asking.submit(refused))
        if answer is not None:
            self._limits.note(client, answer.status, bool(environ.get(AUTHORISED)))
            raise Refusal(answer, logged=True)


def _head(scope: Message) -> Head:
    """Return the head of a request; raises a Refusal for what uvicorn lets through and HTTP does not."""
    try:
        head = Head.of(scope)
    except ValueError:
        raise malformed("The target of the request is no address on this server.") from None
    if head.method not in METHODS:
        remedy = "Use a method of HTTP (RFC 9110)."
        raise refusal(501, "The request's method is not one of HTTP.", remedy, closes=True)
    if head.chunked and head.value(b"content-length") is not None:
        raise malformed("The request has both a Content-Length and a Transfer-Encoding.")
    return head


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
