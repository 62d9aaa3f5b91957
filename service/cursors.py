"""Cursors: where a search goes on, signed, and bound to the request and to a state of the archive."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
from collections.abc import Callable, Mapping
from datetime import date

from pydantic import BaseModel

from hmar.values.fast import Search
from hmar.values.outline import Outline
from hmar.values.pages import MARK_BYTES, Page
from service.errors import CursorError
from service.models.search_request import Among

MAX_LENGTH = 16384
"""Characters of a cursor; one of 1000 hits has 10,743."""
_NOT_BOUND = frozenset({"limit", "cursor"})
_HEAD = struct.Struct(">Q16s8sB")
"""The last row of the log, a digest of the request and of that row's mark, one of the model, and the way."""
_WAYS: tuple[Search | None, ...] = (None, "exact", "fast")
"""How the first page was searched, by its number in a cursor; None for groups."""
_SIGNATURE_BYTES = 32
_REMEDY = (
    "Send the next of an answer, with the same fields as for that answer; or leave it out, to search anew."
)


class Cursors:
    """Reads and writes cursors.

    Parameters
    ----------
    secret : bytes
        The archive's session secret; two keys are derived of it.
    mark_at : callable
        Returns the mark of a row of the log. A catalogue that was restored from an older copy has others.
    model_fingerprint : str
        The model that answers. What was shown of another one's ranking says nothing of this one's.
    """

    def __init__(self, secret: bytes, mark_at: Callable[[int], str], model_fingerprint: str) -> None:
        self._signing = _derived(secret, "signature of a search cursor")
        self._marking = _derived(secret, "marks in a search cursor")
        self._mark_at = mark_at
        self._model = hashlib.sha256(model_fingerprint.encode()).digest()[:8]

    def page(self, asked: Among) -> Page | None:
        """Return the page that a request asks for; None for one that asks for all at once.

        Raises
        ------
        CursorError
            If the cursor was not made here, for the same request, this archive and the model that answers.
        """
        limit = asked.k if asked.limit is None else asked.limit
        if asked.cursor is None:
            return Page(self._marking, limit) if limit < asked.k else None
        as_of, bound, model, way, shown = self._read(asked.cursor)
        if model != self._model:
            raise CursorError(
                "The archive searches with another model since the cursor was made.",
                "Leave the cursor out, to search anew.",
            )
        if not hmac.compare_digest(bound, self._bound(asked, as_of)):
            raise CursorError("The cursor is of another search, or of another state of the archive.", _REMEDY)
        marks = tuple(shown[at : at + MARK_BYTES] for at in range(0, len(shown), MARK_BYTES))
        return Page(self._marking, limit, as_of, marks, _WAYS[way])

    def following(self, asked: Among, page: Page | None) -> str | None:
        """Return the cursor of the page that follows the answer to a request; None where none does."""
        if page is None or page.as_of is None:
            return None
        head = _HEAD.pack(page.as_of, self._bound(asked, page.as_of), self._model, _WAYS.index(page.search))
        content = head + b"".join(page.shown)
        return _text(self._signature(content) + content)

    def _read(self, cursor: str) -> tuple[int, bytes, bytes, int, bytes]:
        """Return state, bound digest, model, way and marks of what was shown; raises CursorError."""
        signed = _bytes(cursor) if len(cursor) <= MAX_LENGTH else b""
        signature, content = signed[:_SIGNATURE_BYTES], signed[_SIGNATURE_BYTES:]
        if len(content) < _HEAD.size or not hmac.compare_digest(signature, self._signature(content)):
            raise CursorError("The cursor was not made by this server, or was altered.", _REMEDY)
        if (len(content) - _HEAD.size) % MARK_BYTES:
            raise CursorError("The cursor was made by an earlier version.", _REMEDY)
        as_of, bound, model, way = _HEAD.unpack_from(content)
        return as_of, bound, model, way, content[_HEAD.size :]

    def _signature(self, content: bytes) -> bytes:
        return hmac.digest(self._signing, content, "sha256")

    def _bound(self, asked: Among, as_of: int) -> bytes:
        fields = {name: value for name, value in asked if name not in _NOT_BOUND}
        text = json.dumps([type(asked).__name__, self._mark_at(as_of), _plain(fields)], sort_keys=True)
        return hashlib.sha256(text.encode()).digest()[:16]


def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, purpose.encode(), "sha256")


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Return what a text was made of; nothing for one that :func:`_text` does not make."""
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
    return content if _text(content) == text else b""


def _plain(value: object) -> object:
    """Return a field of a request as JSON has it, the same in every process."""
    match value:
        case BaseModel():
            return _plain(dict(value))
        case Mapping():
            return {name: _plain(each) for name, each in value.items()}
        case Outline():
            return _plain(value.points)
        case frozenset():
            return sorted(map(str, value))
        case tuple() | list():
            return [_plain(each) for each in value]
        case bytes():
            return hashlib.sha256(value).hexdigest()
        case date():
            return value.isoformat()
    return value
