"""An answer as a value; :class:`Refusal` is an answer that ends a request early."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

Environ = dict[str, Any]
Headers = list[tuple[bytes, bytes]]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
"""What ASGI passes to an application, and how."""


class Rest(Protocol):
    """A body that is still being made; both methods run in threads."""

    def next(self) -> bytes:
        """Return the next piece; nothing at the end."""

    def close(self) -> None:
        """Say that no more is wanted."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: a status, headers, and a body, or its first piece and the rest.

    Before each further piece of the rest there is a pause of ``pause_s`` seconds.
    """

    status: int
    headers: Headers
    body: bytes
    rest: Rest | None = None
    pause_s: float = 0.0


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
