"""uvicorn, with the edge as its application and a guard around each connection."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import Any

import uvicorn

from service.edge.asgi import Edge
from service.edge.bounds import Bounds
from service.edge.guard import Guards
from service.edge.listening import BACKLOG

_log = logging.getLogger("hmar.service.edge")
_uvicorn_log = logging.getLogger("uvicorn.error")

MAX_HEAD_BYTES = 64 << 10
IDLE_S = 60
"""How long a connection may be kept between two requests."""

LAST_S = 1.0


class Server:
    """Serves on sockets that listen already, in the thread that calls :meth:`run`.

    Parameters
    ----------
    sockets : sequence of socket
        Closed at the end.
    edge : Edge
    bounds : Bounds
    shared : bool
        Whether other processes accept from them too. Then one connection is taken at a time, so that of many
        that come at once each process has its part.
    """

    def __init__(
        self, sockets: Sequence[socket.socket], edge: Edge, bounds: Bounds, shared: bool = False
    ) -> None:
        self.port = int(sockets[0].getsockname()[1])
        """The port listened on."""
        self._sockets = list(sockets)
        self._edge = edge
        self._guards = Guards(bounds)
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                edge,
                interface="asgi3",
                http=self._guards.protocol(),
                loop="asyncio",
                ws="none",
                lifespan="off",
                # Its errors alone, on the handlers that are there: warnings come as often as a client likes.
                log_config=None,
                log_level=logging.ERROR,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                # asyncio accepts so many before it looks at anything else.
                backlog=1 if shared else BACKLOG,
                timeout_keep_alive=IDLE_S,
                timeout_graceful_shutdown=bounds.stop_s,
                h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            )
        )
        edge.stopping = lambda: self._uvicorn.should_exit
        _uvicorn_log.addFilter(_without_texts)

    def run(self) -> None:
        """Serve until :meth:`stop`, SIGTERM or SIGINT; then let requests in hand end, for a while.

        uvicorn takes both signals in the main thread, and raises them again for the handlers that were there.
        """
        asyncio.run(self._run())

    def stop(self) -> None:
        """End :meth:`run`; may be called from any thread, from a signal handler, and more than once."""
        self._uvicorn.should_exit = True

    async def _run(self) -> None:
        asyncio.get_running_loop().set_exception_handler(_say_what)
        await self._uvicorn.serve(sockets=self._sockets)
        # Tasks that are left were cancelled just now, and say so to their clients.
        if left := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(left, timeout=LAST_S)
        self._guards.abort()
        self._edge.stop()


def _without_texts(record: logging.LogRecord) -> bool:
    """Leave out of uvicorn's records what may quote a request: the texts of exceptions."""
    if record.exc_info:
        kind = record.exc_info[0]
        record.msg = f"{record.getMessage().strip()}: {kind.__name__ if kind else 'unknown'}"
        record.args = record.exc_info = record.exc_text = None
    return True


def _say_what(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what asyncio could not handle, without texts that may quote a request."""
    error = context.get("exception")
    _log.error("the server's loop: %s", type(error).__name__ if error else "a fault without exception")
