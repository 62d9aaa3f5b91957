"""Requests to the API and what comes of them: JSON, a picture, or one of the library's errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlencode

from hmar.client.connection import Answer, Body, Connection, form
from hmar.client.problems import error_of
from hmar.client.server import Server
from hmar.errors import UnavailableError
from hmar.pauses import BUSY, Pauses

T = TypeVar("T")
Query = Mapping[str, str | int | Sequence[str]]


class Api:
    """One server, asked with one key.

    Parameters
    ----------
    server : Server
    connection : Connection
    pauses : Pauses
        Between two attempts of a request that changes nothing more if it is sent twice.
    """

    def __init__(self, server: Server, connection: Connection, pauses: Pauses) -> None:
        self._server = server
        self._connection = connection
        self._pauses = pauses

    def get(self, path: str, query: Query | None = None) -> bytes:
        """Return what lies at a path."""
        return self.answer(path, query).data

    def answer(self, path: str, query: Query | None = None) -> Answer:
        """Return what lies at a path, with its headers. A list in a query gives a field several times."""
        asked = f"?{urlencode(query, doseq=True)}" if query else ""
        return self._send("GET", path + asked, None, True)

    def post(
        self, path: str, fields: Mapping[str, object] | None = None, *, repeatable: bool = True
    ) -> bytes:
        """Send fields as JSON, or nothing, and return what is answered."""
        return self._send("POST", path, None if fields is None else _json(fields), repeatable).data

    def patch(self, path: str, fields: Mapping[str, object]) -> bytes:
        """Change what lies at a path to what fields say, and return what is answered."""
        return self._send("PATCH", path, _json(fields), True).data

    def delete(self, path: str) -> bytes:
        """Delete what lies at a path, and return what is answered."""
        return self._send("DELETE", path, None, False).data

    def post_files(
        self,
        path: str,
        fields: Mapping[str, str],
        files: Sequence[bytes],
        key: str | None = None,
        *,
        names: Sequence[str] | None = None,
        method: str = "POST",
    ) -> bytes:
        """Send files and fields as a form, and return what is answered.

        ``key`` tells the server a request that comes again, where that would do something twice. ``names``
        are those of the files, which are not sent otherwise.
        """
        return self._send(method, path, form(fields, files, names), True, key).data

    @contextmanager
    def lines(self, path: str) -> Iterator[Iterator[bytes]]:
        """Give the lines of an answer that goes on, as they come."""
        attempt = 1
        while True:
            with self._connection.open(path, self._headers()) as (answer, lines):
                if answer.status == 200:
                    yield lines
                    return
            if not (answer.status in BUSY and self._waited(attempt, answer)):
                raise error_of(answer)
            attempt += 1

    def ready(self) -> bool:
        """Ask once whether the server and all that it needs works."""
        return self._connection.send("GET", "/readyz", self._headers(), None, True).status == 200

    def _send(
        self, method: str, path: str, body: Body | None, repeatable: bool, key: str | None = None
    ) -> Answer:
        headers = {**self._headers(), **({} if key is None else {"Idempotency-Key": key})}
        attempt = 1
        while True:
            answer = self._connection.send(method, path, headers, body, repeatable)
            if 200 <= answer.status < 300:
                return answer
            if not (repeatable and answer.status in BUSY and self._waited(attempt, answer)):
                raise error_of(answer)
            attempt += 1

    def _waited(self, attempt: int, answer: Answer) -> bool:
        return self._pauses.wait(attempt, answer.headers.get("Retry-After"))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._server.key}", "User-Agent": "hmar-client"}


def _json(fields: Mapping[str, object]) -> Body:
    return Body(json.dumps(fields, allow_nan=False).encode(), "application/json")


def read(data: bytes, made: Callable[[Any], T]) -> T:
    """Return what is made of an answer in JSON; raises UnavailableError for another than was expected."""
    return made_of(lambda: made(json.loads(data)))


def made_of(make: Callable[[], T]) -> T:
    """Return what is made of an answer; raises UnavailableError for another than was expected."""
    try:
        return make()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnavailableError(
            "The server's answer cannot be read.",
            "Check that the address is that of HMAR search, and of the version of this client.",
        ) from error
