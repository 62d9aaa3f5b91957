"""Health, outside the queue: what a load balancer asks is answered whatever else the server does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from service.edge.environ import body_bytes, chunked, environ_of
from service.edge.messages import Answer, Environ, Message
from service.edge.refusals import overloaded
from service.edge.threads import Threads
from service.edge.wsgi import whole

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
    clock : callable
        Returns seconds that only grow.
    """

    def __init__(self, application: WSGIApplication, clock: Callable[[], float] = time.monotonic) -> None:
        self._application = application
        self._clock = clock
        self._thread = Threads(1, "readiness")
        self._alive = self._ask(ALIVE)
        self._ready: asyncio.Future[Answer] | None = None
        self._until = 0.0

    def answers(self, environ: Environ) -> bool:
        """Return whether a request is one for health."""
        plain = not environ["QUERY_STRING"] and not body_bytes(environ) and not chunked(environ)
        return (
            plain and environ["REQUEST_METHOD"] in ("GET", "HEAD") and environ["PATH_INFO"] in (ALIVE, READY)
        )

    async def answer(self, environ: Environ) -> Answer:
        """Return the answer; raises a Refusal (503) if the checks take too long."""
        if environ["PATH_INFO"] == ALIVE:
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
        return whole(self._application, environ_of(_scope(path)))


def _scope(path: str) -> Message:
    target = {"raw_path": path.encode("ascii"), "query_string": b""}
    headers = [(b"host", b"localhost")]
    return {
        "method": "GET",
        "http_version": "1.1",
        "headers": headers,
        "server": None,
        "client": None,
        **target,
    }
