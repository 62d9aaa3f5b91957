"""A WSGI application (PEP 3333), called with a whole request; its answer comes back whole, or piece by piece."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from contextvars import copy_context
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from service.edge.messages import Answer, Head, Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

T = TypeVar("T")

KEPT_BYTES = 1 << 20
"""An answer above this size goes to a temporary file."""

AUTHORISED = "hmar.authorised"
"""The application sets it in the environment of a request whose key or login it has found to be valid."""

_HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"te", b"trailer"})
_BODILESS = frozenset({204, 304})
_OWN = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server listens, for the environment of requests."""

    host: str
    port: int


def environ_of(head: Head, address: str, place: Place, body: IO[bytes], body_bytes: int) -> dict[str, Any]:
    """Return the environment of a request.

    Parameters
    ----------
    head : Head
    address : str
        Of the client.
    place : Place
    body : file
        Stands at its beginning.
    body_bytes : int
        Its size. A body that came in chunks is whole by now, and no longer in chunks.
    """
    environ: dict[str, Any] = {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": head.path,
        "QUERY_STRING": head.query,
        "SERVER_NAME": place.host,
        "SERVER_PORT": str(place.port),
        "SERVER_PROTOCOL": f"HTTP/{head.version}",
        "REMOTE_ADDR": address,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name in dict(head.headers):
        if name not in _HOP_BY_HOP:
            variable = _OWN.get(name) or f"HTTP_{name.decode('ascii').upper().replace('-', '_')}"
            environ[variable] = (head.value(name) or b"").decode("latin-1")
    if head.chunked or body_bytes:
        environ["CONTENT_LENGTH"] = str(body_bytes)
    return environ


def call(application: WSGIApplication, environ: dict[str, Any]) -> Answer | Stream:
    """Call the application; collect its answer, unless it makes one of unknown size piece by piece."""
    called = _Call(application, environ)
    if called.streams(environ["REQUEST_METHOD"]):
        return Stream(called)
    return called.collect()


def whole(application: WSGIApplication, environ: dict[str, Any]) -> Answer:
    """Call the application and collect its answer, whatever its size."""
    return _Call(application, environ).collect()


class Stream:
    """The answer of an application that is still making it.

    Its calls may come from several threads; they run one at a time and in one context, as in one thread.
    """

    def __init__(self, called: _Call) -> None:
        self.status, self.headers = called.start()
        self._called = called
        self._chunks = iter(called.chunks)
        self._lock = threading.Lock()

    def next(self) -> bytes | None:
        """Return the next piece, None at the end."""
        with self._lock:
            while (piece := self._called.run(lambda: next(self._chunks, None))) == b"":
                pass
            return piece

    def close(self) -> None:
        """Tell the application that no more is wanted."""
        with self._lock:
            self._called.close()


class _Call:
    """One call of an application, in a context of its own."""

    def __init__(self, application: WSGIApplication, environ: dict[str, Any]) -> None:
        self._context = copy_context()
        self._begun: tuple[str, list[tuple[str, str]]] | None = None
        self._collected = SpooledTemporaryFile(KEPT_BYTES)
        self.chunks: Iterable[bytes] = self.run(lambda: application(environ, cast(Any, self._start_response)))

    def run(self, call: Callable[[], T]) -> T:
        """Run a part of the application."""
        return self._context.run(call)

    def start(self) -> tuple[int, Headers]:
        """Return status and headers."""
        if self._begun is None:
            raise RuntimeError("the application gave no status")
        status, headers = self._begun
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return int(status.partition(" ")[0]), pairs

    def streams(self, method: str) -> bool:
        """Return whether the application makes a body of unknown size."""
        whole = isinstance(self.chunks, list | tuple) or self._collected.tell() > 0
        if whole or method == "HEAD" or self._begun is None:
            return False
        status, headers = self.start()
        return status not in _BODILESS and not _sized(headers)

    def collect(self) -> Answer:
        """Return the whole answer."""
        try:
            try:
                self.run(lambda: self._collected.writelines(self.chunks))
            finally:
                self.close()
            status, headers = self.start()
            return _answer(status, headers, self._collected)
        except BaseException:
            self._collected.close()
            raise

    def close(self) -> None:
        """Tell the application that its answer is not needed any more."""
        close = getattr(self.chunks, "close", None)
        if close is not None:
            self.run(close)

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], _error: object = None, /
    ) -> Callable[[bytes], object]:
        self._begun = (status, headers)
        return self._collected.write


def _sized(headers: Headers) -> bool:
    return any(name.lower() == b"content-length" for name, _ in headers)


def _answer(status: int, headers: Headers, collected: IO[bytes]) -> Answer:
    size = collected.tell()
    collected.seek(0)
    if size and not _sized(headers):
        headers.append((b"Content-Length", str(size).encode()))
    if size > KEPT_BYTES:
        return Answer(status, headers, collected)
    with collected:
        return Answer(status, headers, collected.read())
