"""Calls of a WSGI application (PEP 3333), whose answers may be in the making when they are sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextvars import copy_context
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from service.edge.messages import Answer, Environ

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PIECE_BYTES = 256 << 10

AUTHORISED = "hmar.authorised"
"""The application sets it in the environment of a request whose key or token it has found to be valid.

It is the name under which that counts: the next token of somebody is another, but the name is the same.
"""


PAUSE_S = "hmar.pause_s"
"""The application sets it in the environment of a request whose answer goes on for minutes.

The edge waits so many seconds before each further piece, in which the answer holds no thread.
"""


def call(application: WSGIApplication, environ: Environ) -> Answer:
    """Call the application and return its answer, the body up to the end of its first piece."""
    environ[PAUSE_S] = 0.0
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _error: object = None, /
    ) -> Callable[[bytes], object]:
        begun[:] = [(status, headers)]
        return written.append

    rest = Chunks(lambda: application(environ, cast(Any, start_response)), written)
    try:
        first = rest.next()
        status, headers = begun[0]
        rest.sized = any(name.lower() == "content-length" for name, _ in headers)
        if rest.sized:
            first += rest.next()
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return Answer(
            int(status.partition(" ")[0]), pairs, first, None if rest.ended else rest, environ[PAUSE_S]
        )
    except BaseException:
        rest.close()
        raise


def whole(application: WSGIApplication, environ: Environ) -> Answer:
    """Call the application and return its whole answer."""
    answer = call(application, environ)
    rest = iter(answer.rest.next, b"") if answer.rest else ()
    return Answer(answer.status, answer.headers, b"".join((answer.body, *rest)))


class Chunks:
    """The body that an application makes.

    Its calls may come from several threads; they run one at a time and in one context, as in one thread.

    Parameters
    ----------
    make : callable
        Calls the application.
    written : list of bytes
        Stands before what the call returns.
    """

    def __init__(self, make: Callable[[], Iterable[bytes]], written: list[bytes]) -> None:
        self.sized = False
        """Whether the size of the body is known: it comes in larger pieces then, not as it is made."""
        self.ended = False
        self._lock = threading.Lock()
        self._context = copy_context()
        self._made = self._context.run(make)
        self._chunks = chain(written, self._made)

    def next(self) -> bytes:
        """Return the next piece; nothing at the end."""
        with self._lock:
            return self._context.run(self._gathered)

    def close(self) -> None:
        """Tell the application that no more is wanted."""
        with self._lock:
            self._context.run(self._end)

    def _gathered(self) -> bytes:
        gathered, size = [], 0
        while size < (PIECE_BYTES if self.sized else 1):
            chunk = None if self.ended else next(self._chunks, None)
            if chunk is None:
                self._end()
                break
            gathered.append(chunk)
            size += len(chunk)
        return b"".join(gathered)

    def _end(self) -> None:
        if not self.ended:
            self.ended = True
            close = getattr(self._made, "close", None)
            if close is not None:
                close()
