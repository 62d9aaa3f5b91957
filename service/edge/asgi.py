"""The ASGI application: what happens to a request between its head and its answer."""

from __future__ import annotations

import asyncio
import errno
import logging
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from hmar import request_ids
from service.edge.body import Room, taken_in
from service.edge.bounds import Bounds
from service.edge.clients import Client, client_of
from service.edge.environ import environ_of, request_id_of
from service.edge.exchange import Exchange
from service.edge.forwarded import believe
from service.edge.guard import CONNECTION, Guard
from service.edge.known import Known
from service.edge.limits import Limits
from service.edge.messages import Answer, Environ, Gone, Message, Receive, Refusal, Send
from service.edge.pace import Pace
from service.edge.probes import Probes
from service.edge.rate import Rate
from service.edge.refusals import overloaded, refusal
from service.edge.tally import Tally
from service.edge.threads import Threads
from service.edge.work import Work
from service.edge.wsgi import AUTHORISED, call, whole
from service.problems import unexpected_detail

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_log = logging.getLogger("hmar.service.edge")

Ask = Callable[[Environ, bool], "WSGIApplication | None"]
"""Asks the application before a body comes.

Takes a request's environment, without body, and whether the body is too large; returns what refuses it.
"""


class Edge:
    """Answers requests: health at once, all others within the limits and as there is room.

    Parameters
    ----------
    application : WSGI application
    ask : callable
    bounds : Bounds
    max_body_bytes : callable
        Takes method and path of a request, and returns the largest body that it may have.
    refused : callable
        Told the status of every request that is refused before it reaches the application.
    known : Known or None
        What its limits share with those of other processes; None for a process alone.
    room : Room or None
        For bodies that are not held in memory; None takes the system's folder for temporary files.
    """

    def __init__(
        self,
        application: WSGIApplication,
        ask: Ask,
        bounds: Bounds,
        max_body_bytes: Callable[[str, str], int],
        refused: Callable[[int], None],
        known: Known | None = None,
        room: Room | None = None,
    ) -> None:
        self._application = application
        self._ask = ask
        self._bounds = bounds
        self._max_body_bytes = max_body_bytes
        self._room = room or Room()
        self._probes = Probes(application)
        self._limits = Limits(bounds, known=known)
        self._tally = Tally(refused)
        self._refusals = Rate()
        self._work = Work(bounds.threads, bounds.waiting)
        self._asking = Threads(2, "asking")
        self._disk = Threads(1, "bodies")
        self.stopping: Callable[[], bool] = lambda: False
        """Returns whether the server stops; the server sets it."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI); raises nothing."""
        request_ids.begin(request_id_of(scope))  # of this task alone, as uvicorn makes one for each request
        guard: Guard = scope["state"][CONNECTION]
        exchange = Exchange(guard, receive, send, self.stopping)
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
        """End the threads once they are free, and log what was refused last."""
        self._tally.tell()
        for part in (self._probes, self._work, self._asking, self._disk):
            part.stop()

    async def _serve(self, scope: Message, guard: Guard, exchange: Exchange) -> None:
        closes = False
        # A request counts, and has its body, until it is answered.
        async with AsyncExitStack() as held:
            try:
                answer = await self._handled(scope, guard, exchange, held)
            except Refusal as refused:
                answer, closes = refused.answer, refused.closes
                if not refused.logged:
                    self._tally.note(answer.status)
                    await self._refusals.turn()
            except Gone:
                raise
            except asyncio.CancelledError:
                answer, closes = overloaded("The server stops.").answer, True
            except OSError as error:
                answer = _unavailable(error)
            except BaseException as error:
                answer = _unexpected(error)
            await exchange.answer(answer, self._work, closes=closes)

    async def _handled(
        self, scope: Message, guard: Guard, exchange: Exchange, held: AsyncExitStack
    ) -> Answer:
        environ = environ_of(scope)
        exchange.expect(environ)
        if self._probes.answers(environ):
            return await self._probes.answer(environ)
        if guard.reserved:
            raise overloaded(f"All {self._bounds.connections} connections are in use.")
        believe(environ, self._bounds.proxies)
        client = client_of(environ)
        held.enter_context(self._limits.admitted(client))
        self._work.check_room()
        await self._take_body(environ, client, exchange, held)
        answer = await self._work.run(lambda: call(self._application, environ), exchange.left)
        self._limits.note(client, answer.status, environ.get(AUTHORISED))
        return answer

    async def _take_body(
        self, environ: Environ, client: Client, exchange: Exchange, held: AsyncExitStack
    ) -> None:
        async def ask(too_large: bool) -> None:
            asked = dict(environ)
            answer = await asyncio.wrap_future(self._asking.submit(lambda: self._refused(asked, too_large)))
            if answer is not None:
                self._limits.note(client, answer.status, asked.get(AUTHORISED))
                raise Refusal(answer, logged=True)

        if exchange.whole:
            return
        pace = Pace(self._bounds.transfer_s, self._bounds.bytes_per_s)
        most = self._max_body_bytes(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        body = taken_in(exchange, environ, pace, most, ask, self._disk, self._room)
        environ["wsgi.input"], size = await held.enter_async_context(body)
        # It is whole by now, and no longer in chunks.
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = str(size)

    def _refused(self, environ: Environ, too_large: bool) -> Answer | None:
        refusing = self._ask(environ, too_large)
        return None if refusing is None else whole(refusing, environ)


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
