"""Work in flight, bounded: so many calls at a time, so many waiting, and a refusal for the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from service.edge.messages import Gone
from service.edge.refusals import overloaded
from service.edge.threads import Threads

T = TypeVar("T")


class Work:
    """Runs calls in threads, in the order in which they came.

    Parameters
    ----------
    threads : int
        Calls that run at a time.
    waiting : int
        Calls that may wait for a thread.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self._threads = Threads(threads, "request")
        self._turns = asyncio.Semaphore(threads)
        self._most = threads + waiting
        self._taken = 0

    def check_room(self) -> None:
        """Raise a Refusal (503) if a call would find neither a thread nor a place to wait."""
        if self._taken >= self._most:
            raise overloaded(f"The server works on as many requests as it takes ({self._most}).")

    async def run(self, call: Callable[[], T], left: Callable[[], bool]) -> T:
        """Run a call and return what it returns.

        Parameters
        ----------
        call : callable
        left : callable
            Returns whether the client is gone. A call that had to wait for its turn is not begun then.

        Raises
        ------
        Refusal
            If there is no room.
        Gone
            If the client left before its turn.
        """
        self.check_room()
        self._taken += 1
        try:
            waited = self._turns.locked()
            async with self._turns:
                if waited and left():
                    raise Gone
                return await asyncio.wrap_future(self._threads.submit(call))
        finally:
            self._taken -= 1

    def stop(self) -> None:
        """End the threads once they are free."""
        self._threads.stop()
