"""A request's head and an answer, as values; :class:`Refusal` is an answer that ends a request early."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO
from urllib.parse import unquote_to_bytes, urlsplit

import h11

Headers = list[tuple[bytes, bytes]]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
"""Methods of HTTP. Any other word is not handed on: it may be a mistyped secret, and logs name methods."""
PIECE_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class Head:
    """Line and headers of a request.

    Parameters
    ----------
    method, path, query, version : str
        ``path`` is decoded from percent-encoding; all are Latin-1, as WSGI (PEP 3333) has it.
    headers : list of (bytes, bytes)
        In order, names in lower case. Names with an underscore are left out: WSGI could not tell them from
        those with a hyphen.
    peer : str
        Address of the other end of the connection.
    """

    method: str
    path: str
    query: str
    version: str
    headers: Headers
    peer: str

    @classmethod
    def of(cls, request: h11.Request, peer: str) -> Head:
        """Take a request apart; raises ValueError for a target that is no address on this server."""
        target = request.target
        headers = [(name, value) for name, value in request.headers if b"_" not in name]
        if not target.startswith(b"/"):
            # The absolute form, which a server must take (RFC 9112, 3.2.2); its host overrides the header's.
            absolute = urlsplit(target)
            if absolute.scheme not in (b"http", b"https") or not absolute.netloc:
                raise ValueError("no address")
            headers = [(b"host", absolute.netloc), *(pair for pair in headers if pair[0] != b"host")]
            target = (absolute.path or b"/") + (b"?" + absolute.query if absolute.query else b"")
        path, _, query = target.partition(b"?")
        return cls(
            request.method.decode("ascii"),
            unquote_to_bytes(path.partition(b"#")[0]).decode("latin-1"),
            query.partition(b"#")[0].decode("latin-1"),
            request.http_version.decode("ascii"),
            headers,
            peer,
        )

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of a header, one for each time that it was sent."""
        return [value for known, value in self.headers if known == name]

    def value(self, name: bytes) -> bytes | None:
        """Return the values of a header in one, as WSGI hands them on; None where there is none."""
        values = self.values(name)
        return b", ".join(values) if values else None

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks, and does not say its size."""
        return self.value(b"transfer-encoding") is not None

    @property
    def body_bytes(self) -> int:
        """The size of the body that the head announces; 0 where it announces none."""
        return int(self.value(b"content-length") or 0)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: a status, headers, and a body in memory or in a temporary file."""

    status: int
    reason: str
    headers: Headers
    body: bytes | IO[bytes]

    def pieces(self) -> Iterator[bytes]:
        """Yield the body piece by piece."""
        if isinstance(self.body, bytes):
            if self.body:
                yield self.body
            return
        while piece := self.body.read(PIECE_BYTES):
            yield piece

    def close(self) -> None:
        """Give back the temporary file, if there is one."""
        if not isinstance(self.body, bytes):
            self.body.close()


class Refusal(Exception):  # noqa: N818 - not an error of the program
    """Ends a request with an answer that the application was not asked for, or gave before the body came.

    Parameters
    ----------
    answer : Answer
    logged : bool
        Whether the access log has it already.
    """

    def __init__(self, answer: Answer, *, logged: bool = False) -> None:
        super().__init__(answer.status)
        self.answer = answer
        self.logged = logged


class Gone(Exception):  # noqa: N818 - not an error of the program
    """The client left, or does not read: nobody can be answered any more."""
