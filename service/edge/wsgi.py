"""A WSGI application (PEP 3333), called with a whole request; its answer comes back whole."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any, cast

from service.edge.messages import Answer, Head, Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

KEPT_BYTES = 1 << 20
"""An answer above this size goes to a temporary file."""

AUTHORISED = "hmar.authorised"
"""The application sets it in the environment of a request whose key or login it has found to be valid."""

_HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"te", b"trailer"})
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


def call(application: WSGIApplication, environ: dict[str, Any]) -> Answer:
    """Call the application and collect its answer."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    collected = SpooledTemporaryFile(KEPT_BYTES)  # noqa: SIM115 - the answer closes it

    def start_response(
        status: str, headers: list[tuple[str, str]], _error: object = None, /
    ) -> Callable[[bytes], object]:
        begun[:] = [(status, headers)]
        return collected.write

    try:
        chunks = application(environ, cast(Any, start_response))
        _collect(chunks, collected)
        code, _, reason = begun[0][0].partition(" ")
        headers: Headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in begun[0][1]]
        return _answer(int(code), reason, headers, collected)
    except BaseException:
        collected.close()
        raise


def _collect(chunks: Iterable[bytes], collected: IO[bytes]) -> None:
    try:
        for chunk in chunks:
            collected.write(chunk)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


def _answer(status: int, reason: str, headers: Headers, collected: IO[bytes]) -> Answer:
    size = collected.tell()
    collected.seek(0)
    if size and not any(name.lower() == b"content-length" for name, _ in headers):
        headers.append((b"Content-Length", str(size).encode()))
    if size > KEPT_BYTES:
        return Answer(status, reason, headers, collected)
    with collected:
        return Answer(status, reason, headers, collected.read())
