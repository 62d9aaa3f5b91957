"""Health, outside the queue: what a load balancer asks is answered whatever else the server does."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from service.edge.messages import Answer, Head
from service.edge.refusals import overloaded
from service.edge.threads import Threads
from service.edge.wsgi import Place, call, environ_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ALIVE = "/healthz"
READY = "/readyz"
KEPT_S = 1.0
"""An answer of /readyz serves all who ask within this time, so that probes cannot pile up."""
PATIENCE_S = 8.0


class Probes:
    """Answers of /healthz, made once, and of /readyz, made in a thread of its own at most once a second.

    Parameters
    ----------
    application : WSGI application
    place : Place
    clock : callable
        Returns seconds that only grow.
    """

    def __init__(
        self, application: WSGIApplication, place: Place, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._application = application
        self._place = place
        self._clock = clock
        self._thread = Threads(1, "readiness")
        self._alive = self._ask(ALIVE)
        self._ready: asyncio.Future[Answer] | None = None
        self._until = 0.0

    def answers(self, head: Head) -> bool:
        """Return whether a request is one for health."""
        plain = not head.query and not head.body_bytes and not head.chunked
        return plain and head.method in ("GET", "HEAD") and head.path in (ALIVE, READY)

    async def answer(self, head: Head) -> Answer:
        """Return the answer; raises a Refusal (503) if the checks take too long."""
        if head.path == ALIVE:
            return self._alive
        if self._ready is None or (self._ready.done() and self._clock() >= self._until):
            self._ready = asyncio.wrap_future(self._thread.submit(lambda: self._ask(READY)))
            self._ready.add_done_callback(self._keep)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await asyncio.shield(self._ready)
        except TimeoutError as error:
            raise overloaded("The checks of readiness take too long.") from error

    def stop(self) -> None:
        """End the thread."""
        self._thread.stop()

    def _keep(self, answered: asyncio.Future[Answer]) -> None:
        # Also says that the exception was seen, where nobody waits any more.
        failed = answered.cancelled() or answered.exception() is not None
        self._until = self._clock() + (0.0 if failed else KEPT_S)

    def _ask(self, path: str) -> Answer:
        head = Head("GET", path, "", "1.1", [(b"host", b"localhost")], "")
        return call(self._application, environ_of(head, "", self._place, io.BytesIO(), 0))
