"""A request's head and an answer, as values; :class:`Refusal` is an answer that ends a request early."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import unquote_to_bytes, urlsplit

Headers = list[tuple[bytes, bytes]]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
"""What ASGI passes to an application, and how."""

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
    def of(cls, scope: Message) -> Head:
        """Take the scope of a request (ASGI) apart; raises ValueError for a target that is no address here."""
        target: bytes = scope["raw_path"]
        query: bytes = scope["query_string"]
        headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
        if not target.startswith(b"/"):
            # The absolute form, which a server must take (RFC 9112, 3.2.2); its host overrides the header's.
            absolute = urlsplit(target)
            if absolute.scheme not in (b"http", b"https") or not absolute.netloc:
                raise ValueError("no address")
            headers = [(b"host", absolute.netloc), *(pair for pair in headers if pair[0] != b"host")]
            target = absolute.path or b"/"
        path, fragment, _ = target.partition(b"#")
        return cls(
            scope["method"],
            unquote_to_bytes(path).decode("latin-1"),
            "" if fragment else query.partition(b"#")[0].decode("latin-1"),
            scope["http_version"],
            headers,
            scope["client"][0] if scope["client"] else "",
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

    @property
    def expects(self) -> bool:
        """Whether the client waits to be told to send the body."""
        return b"100-continue" in (self.value(b"expect") or b"").lower()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: a status, headers, and a body in memory or in a temporary file."""

    status: int
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
    closes : bool
        Whether no other request is read from the connection.
    """

    def __init__(self, answer: Answer, *, logged: bool = False, closes: bool = False) -> None:
        super().__init__(answer.status)
        self.answer = answer
        self.logged = logged
        self.closes = closes


class Gone(Exception):  # noqa: N818 - not an error of the program
    """The client left, or does not read: nobody can be answered any more."""
