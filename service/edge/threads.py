"""A few threads that run calls in order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Threads:
    """Daemon threads, started at once.

    ThreadPoolExecutor is not used: the interpreter waits for its threads when it ends, and a request that
    hangs would keep a stopped server alive.

    Parameters
    ----------
    count : int
        How many calls run at a time.
    name : str
        Of the threads.
    """

    def __init__(self, count: int, name: str) -> None:
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._count = count
        for number in range(count):
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True).start()

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Run a call as soon as a thread is free."""
        future: Future[T] = Future()
        self._calls.put((future, call))
        return future

    def stop(self) -> None:
        """Let the threads end after the calls that were submitted."""
        for _ in range(self._count):
            self._calls.put(None)

    def _run(self) -> None:
        while (taken := self._calls.get()) is not None:
            future, call = taken
            if future.set_running_or_notify_cancel():
                try:
                    result = call()
                except BaseException as error:
                    # The thread outlives whatever a call raises; who awaits the future is told.
                    future.set_exception(error)
                else:
                    future.set_result(result)
            del taken, future, call
