"""Sockets, connections and their number; starts and ends everything of the edge."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from service.edge.bounds import Bounds
from service.edge.connection import Connection
from service.edge.handler import Handler
from service.edge.messages import Answer, Head
from service.edge.refusals import overloaded
from service.edge.wire import READ_BYTES, Wire

_log = logging.getLogger("hmar.service.edge")

RESERVE = 32
"""Connections beyond the bound on which health is answered, and nothing else."""


class Server:
    """Serves on sockets that listen already, in the thread that calls :meth:`run`.

    Parameters
    ----------
    sockets : sequence of socket
        Closed at the end.
    handler : callable
        Makes the Handler, in the event loop.
    bounds : Bounds
    """

    def __init__(
        self, sockets: Sequence[socket.socket], handler: Callable[[], Handler], bounds: Bounds
    ) -> None:
        self._sockets = sockets
        self._new_handler = handler
        self._bounds = bounds
        self._connections: dict[Connection, asyncio.Task[Any]] = {}
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()

    @property
    def port(self) -> int:
        """The port listened on."""
        return int(self._sockets[0].getsockname()[1])

    def run(self) -> None:
        """Serve until :meth:`stop`; then let requests in hand end, for a while."""
        asyncio.run(self._run())

    def stop(self) -> None:
        """End :meth:`run`; may be called from any thread, from a signal handler, and more than once."""
        self._stopping.set()
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake.set)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_say_what)
        handler = self._new_handler()
        serving = [
            await asyncio.start_server(
                lambda reader, writer: self._connected(handler, reader, writer), sock=one, limit=READ_BYTES
            )
            for one in self._sockets
        ]
        if not self._stopping.is_set():
            await self._wake.wait()
        for server in serving:
            server.close()
        await self._finish()
        handler.stop()

    async def _finish(self) -> None:
        """Wait for the requests in hand, then end all connections."""
        for connection in [one for one in self._connections if one.silent_since is not None]:
            connection.abort()
        if tasks := list(self._connections.values()):
            await asyncio.wait(tasks, timeout=self._bounds.stop_s)
        for connection in list(self._connections):
            connection.abort()

    async def _connected(
        self, handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        wire = Wire(reader, writer)
        task = asyncio.current_task()
        reserved = not self._make_room()
        if task is None or len(self._connections) >= self._bounds.connections + RESERVE:
            wire.abort()
            return

        async def health_alone(_wire: Wire, head: Head) -> Answer:
            if (answer := await handler.health(head)) is None:
                raise overloaded(f"All {self._bounds.connections} connections are in use.")
            return answer

        connection = Connection(
            wire,
            str((writer.get_extra_info("peername") or ("",))[0]),
            self._bounds,
            health_alone if reserved else handler.handle,
            self._stopping.is_set,
        )
        self._connections[connection] = task
        try:
            await connection.serve()
        finally:
            self._connections.pop(connection, None)

    def _make_room(self) -> bool:
        """Return whether one more connection fits; the one that was silent the longest makes way for it."""
        if len(self._connections) < self._bounds.connections:
            return True
        silent = [one for one in self._connections if one.silent_since is not None]
        if not silent:
            return False
        longest = min(silent, key=lambda one: one.silent_since or 0.0)
        del self._connections[longest]
        longest.abort()
        return len(self._connections) < self._bounds.connections


def _say_what(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what asyncio could not handle, without texts that may quote a request."""
    error = context.get("exception")
    _log.error("the server's loop: %s", type(error).__name__ if error else "a fault without exception")
