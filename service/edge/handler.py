"""What happens to a request between its head and its answer."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from service.edge.body import taken_in
from service.edge.bounds import Bounds
from service.edge.clients import Client, address_of, client_of
from service.edge.limits import Limits
from service.edge.messages import Answer, Head, Refusal
from service.edge.pace import Pace
from service.edge.probes import Probes
from service.edge.threads import Threads
from service.edge.wire import Wire
from service.edge.work import Work
from service.edge.wsgi import AUTHORISED, Place, call, environ_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Ask = Callable[[dict[str, Any], bool], "WSGIApplication | None"]
"""Asks the application before a body comes.

Takes a request's environment, without body, and whether the body is too large; returns what refuses it.
"""


class Handler:
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

    async def health(self, head: Head) -> Answer | None:
        """Return the answer to a request for health, None for any other."""
        return await self._probes.answer(head) if self._probes.answers(head) else None

    async def handle(self, wire: Wire, head: Head) -> Answer:
        """Return the answer to a request; raises a Refusal, or Gone where the client left."""
        if (answer := await self.health(head)) is not None:
            return answer
        client = client_of(head, self._bounds.proxies)
        with self._limits.admitted(client):
            self._work.check_room()
            return await self._worked(wire, head, client)

    def stop(self) -> None:
        """End the threads once they are free."""
        for part in (self._probes, self._work, self._asking, self._disk):
            part.stop()

    async def _worked(self, wire: Wire, head: Head, client: Client) -> Answer:
        pace = Pace(self._bounds.transfer_s, self._bounds.bytes_per_s)
        address = address_of(head, self._bounds.proxies)

        async def ask(too_large: bool) -> None:
            await self._asked(head, client, address, too_large)

        body = taken_in(wire, head, pace, self._max_body_bytes, ask, self._disk)
        async with body as (file, size):
            environ = environ_of(head, address, self._place, file, size)
            answer = await self._work.run(lambda: call(self._application, environ), wire.left)
        self._limits.note(client, answer.status, bool(environ.get(AUTHORISED)))
        return answer

    async def _asked(self, head: Head, client: Client, address: str, too_large: bool) -> None:
        environ = environ_of(head, address, self._place, io.BytesIO(), 0)

        def refused() -> Answer | None:
            refusing = self._ask(environ, too_large)
            return None if refusing is None else call(refusing, environ)

        answer = await asyncio.wrap_future(self._asking.submit(refused))
        if answer is not None:
            self._limits.note(client, answer.status, bool(environ.get(AUTHORISED)))
            raise Refusal(answer, logged=True)
