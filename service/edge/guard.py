"""Around uvicorn's protocol for one connection: the deadlines and the bound that it does not have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any, cast

import h11
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from service.edge.bounds import Bounds
from service.edge.messages import Answer
from service.edge.pace import Pace
from service.edge.refusals import too_slow

CONNECTION = "hmar.connection"
"""Key in the state of a scope (ASGI) under which the application finds the request's Guard."""

RESERVE = 32
"""Connections beyond the bound on which health is answered, and nothing else."""
MAX_REFUSED_BYTES = 256 << 20
"""Of a body that was refused so much is read and dropped, so that its client reads why."""
HALF_CLOSED_S = 1.0
"""How long the rest of a body may still be on its way within the server when the client has sent its last."""


class Guard(asyncio.Protocol):
    """Passes everything on to uvicorn's protocol, and ends the connection when the client is too slow.

    The application says when a request begins, when its body is whole and when it is finished.

    Parameters
    ----------
    others : Guards
        The connections that are open.
    bounds : Bounds
    make : callable
        Makes the protocol, which gives requests the state that it is passed.
    """

    def __init__(self, others: Guards, bounds: Bounds, make: Callable[[dict[str, Any]], H11Protocol]) -> None:
        self.reserved = False
        """Whether this connection is for health alone."""
        self.silent_since: float | None = None
        """Since when a request is waited for; None while one is in hand, or its answer is on its way."""
        self._others = others
        self._bounds = bounds
        self._protocol = make({CONNECTION: self})
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._requests = 0
        self._whole = True
        self._heard = self._left = False
        self._refused_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._pace = self._new_pace()
        self._unread = (0.0, 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection on, unless there are too many; it has to send a request's head in time."""
        self._transport = cast(asyncio.Transport, transport)
        # Writing is then paused until the operating system has taken everything, not until most of it.
        self._transport.set_write_buffer_limits(high=0)
        self.silent_since = self._loop.time()
        self._protocol.connection_made(self._transport)
        self._within(self._bounds.header_s, self._no_head)
        self._others.enter(self)

    def data_received(self, data: bytes) -> None:
        """Start the deadline of a head at its first byte; bound what is read of a refused body."""
        if not self._requests:
            if self._deadline is None:
                self._within(self._bounds.header_s, self._no_head)
            self._refused_bytes += 0 if self._whole else len(data)
            if self._refused_bytes > MAX_REFUSED_BYTES:
                return self.abort()
        self._heard = True
        self._protocol.data_received(data)
        return None

    def eof_received(self) -> bool:
        """Keep the connection for the answer to a request that came whole before the client sent its last."""
        self._left = True
        if self._requests and not self._whole:
            self._within(HALF_CLOSED_S, self.abort)
        return self._requests > 0

    def pause_writing(self) -> None:
        """Start the deadline of an answer that is not read."""
        self.silent_since = None
        self._unread = (self._loop.time(), self._transport.get_write_buffer_size())
        self._reading = self._loop.call_later(self._pace.left_s, self.abort)
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Stop the deadline: all that was written was read."""
        since, unread = self._unread
        self._pace.waited(self._loop.time() - since, unread)
        self._cancel_reading()
        self._note_silence()
        self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._others.leave(self)
        self._cancel()
        self._cancel_reading()
        self._protocol.connection_lost(exc)

    @property
    def left(self) -> bool:
        """Whether the client is known to have ended its side of the connection."""
        return self._left or self.gone

    @property
    def gone(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._transport.is_closing()

    def begin(self) -> None:
        """Note that the head of a request is there."""
        self._cancel()
        self._requests += 1
        self._refused_bytes = 0
        self._whole = False
        self.silent_since = None
        self._pace = self._new_pace()

    def whole(self) -> None:
        """Note that the body of the request is there."""
        self._cancel()
        self._whole = True

    def finish(self) -> None:
        """Note that the request was answered. Of a body that is not whole the rest has a head's time."""
        self._cancel()
        self._requests -= 1
        self._heard = False
        self._note_silence()
        # A request that was sent before this one was answered begins first.
        self._loop.call_soon(self._await_next)

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    def _new_pace(self) -> Pace:
        return Pace(self._bounds.transfer_s, self._bounds.bytes_per_s)

    def _note_silence(self) -> None:
        if not self._requests and self._reading is None:
            self.silent_since = self._loop.time()

    def _await_next(self) -> None:
        """Close, or await the rest of what the client has begun: a refused body, or its next head."""
        if self._requests or self.gone:
            return
        begun = bool(self._protocol.conn.trailing_data[0])
        if self._left:
            self._transport.close()
        elif begun or not self._whole:
            self._heard = self._heard or begun
            self._within(self._bounds.header_s, self._no_head)

    def _no_head(self) -> None:
        if self._heard and self._whole:
            self._transport.write(_written(too_slow("head").answer))
            self._transport.close()
        else:
            self.abort()

    def _within(self, seconds: float, otherwise: Callable[[], None]) -> None:
        self._cancel()
        # In a context of its own: the request before, whose id is in this one, is not the one that is late.
        self._deadline = self._loop.call_later(seconds, otherwise, context=Context())

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cancel_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None


class Guards:
    """The open connections of one server, and their bound.

    Parameters
    ----------
    bounds : Bounds
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._open: set[Guard] = set()

    def protocol(self) -> type[asyncio.Protocol]:
        """Return the class that uvicorn makes an instance of for each connection."""
        guards = self

        class Guarded(Guard):
            def __init__(
                self,
                config: Config,
                server_state: ServerState,
                app_state: dict[str, Any],
                _loop: asyncio.AbstractEventLoop | None = None,
            ) -> None:
                def protocol(state: dict[str, Any]) -> H11Protocol:
                    return H11Protocol(config, server_state, {**app_state, **state}, _loop)

                super().__init__(guards, guards._bounds, protocol)

        return Guarded

    def enter(self, guard: Guard) -> None:
        """Take on one more; the one that was silent the longest makes way where there are too many."""
        silent = [one for one in self._open if one.silent_since is not None]
        if len(self._open) >= self._bounds.connections and silent:
            longest = min(silent, key=lambda one: one.silent_since or 0.0)
            longest.abort()
            self.leave(longest)
        guard.reserved = len(self._open) >= self._bounds.connections
        self._open.add(guard)
        if len(self._open) > self._bounds.connections + RESERVE:
            guard.abort()

    def leave(self, guard: Guard) -> None:
        """Forget a connection."""
        self._open.discard(guard)

    def abort(self) -> None:
        """End all connections at once."""
        for guard in list(self._open):
            guard.abort()


def _written(answer: Answer) -> bytes:
    """Return an answer as HTTP/1.1, for a connection on which no request is in hand."""
    connection = h11.Connection(h11.SERVER)
    start = h11.Response(status_code=answer.status, headers=[*answer.headers, (b"Connection", b"close")])
    events = [start, h11.Data(data=answer.body), h11.EndOfMessage()]
    return b"".join(connection.send(event) or b"" for event in events)
