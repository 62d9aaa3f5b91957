"""Forms of an answer, chosen as Accept says (RFC 9110 12.5.1, PS3.18 8.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_options_header

from hmar.errors import shown
from service.errors import NotAcceptableError

RELATED = "multipart/related"


class Form(NamedTuple):
    """A media type; of a multipart one also that of its parts."""

    media_type: str
    parts: str = ""

    def __str__(self) -> str:
        return f'{self.media_type}; type="{self.parts}"' if self.parts else self.media_type


def chosen_form(accepted: MIMEAccept, forms: Sequence[Form], transfer_syntax_uid: str = "") -> Form:
    """Return the form that is liked best; the first where nothing is said.

    Parameters
    ----------
    accepted : MIMEAccept
    forms : sequence of Form
        What can be sent, the usual form first.
    transfer_syntax_uid : str
        The one that it is sent in. It is not looked at where none is asked for.

    Raises
    ------
    NotAcceptableError
        If none of them is accepted.
    """
    if not accepted:
        return forms[0]
    for value, quality in accepted:
        kind, options = parse_options_header(value)
        for form in forms if quality > 0 else ():
            if _fits(kind.lower(), options, form, transfer_syntax_uid):
                return form
    offered = " or ".join(map(str, forms))
    syntax = f" in transfer syntax {transfer_syntax_uid}" if transfer_syntax_uid else ""
    raise NotAcceptableError(
        f"Accept is {shown(accepted.to_header())}, and this is sent as {offered}{syntax}.",
        "Accept that, or */*.",
    )


def _fits(kind: str, options: Mapping[str, str], form: Form, transfer_syntax_uid: str) -> bool:
    parts = options.get("type", "").lower()
    syntax = options.get("transfer-syntax", "*")
    return (
        _covers(kind, form.media_type)
        and (not parts or _covers(parts, form.parts))
        and syntax in ("*", transfer_syntax_uid)
    )


def _covers(wanted: str, media_type: str) -> bool:
    """Whether a media type, or a range of them, holds another one."""
    return wanted in ("*/*", media_type, f"{media_type.partition('/')[0]}/*")
