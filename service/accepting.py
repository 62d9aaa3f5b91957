"""Forms of an answer, chosen as Accept says (RFC 9110 12.5.1, PS3.18 8.7)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hmar.errors import shown
from service.errors import NotAcceptableError

RELATED = "multipart/related"
DICOM_JSON, JSON = "application/dicom+json", "application/json"
_BETWEEN_COMMAS = re.compile(r'(?:[^,"]|"[^"]*")+')
_BETWEEN_SEMICOLONS = re.compile(r'(?:[^;"]|"[^"]*")+')


class _Wanted(NamedTuple):
    """One media type of an Accept, or range of them, with its parameters and its weight."""

    kind: str
    options: Mapping[str, str]
    weight: float


class Form(NamedTuple):
    """A media type; of a multipart one also that of its parts."""

    media_type: str
    parts: str = ""

    def __str__(self) -> str:
        return f'{self.media_type}; type="{self.parts}"' if self.parts else self.media_type


JSON_FORMS = (Form(DICOM_JSON), Form(JSON))
"""Of DICOM JSON (PS3.18 F)."""


def chosen_form(accept: str | None, forms: Sequence[Form], transfer_syntax_uid: str = "") -> Form:
    """Return the form that is liked best; the first where nothing is said.

    Parameters
    ----------
    accept : str or None
        The header. Viewers write ``type=application/dicom`` without quotes, which is taken, too.
    forms : sequence of Form
        What can be sent, the usual form first.
    transfer_syntax_uid : str
        The one that it is sent in. It is not looked at where none is asked for.

    Raises
    ------
    NotAcceptableError
        If none of them is accepted.
    """
    if not accept:
        return forms[0]
    said = [_wanted(text) for text in _BETWEEN_COMMAS.findall(accept)]
    liked = [(_liking(said, form, transfer_syntax_uid), form) for form in forms]
    (weight, _), best = max(liked, key=lambda one: one[0])
    if weight > 0:
        return best
    offered = " or ".join(map(str, forms))
    syntax = f" in transfer syntax {transfer_syntax_uid}" if transfer_syntax_uid else ""
    raise NotAcceptableError(
        f"Accept is {shown(accept)}, and this is sent as {offered}{syntax}.",
        "Accept that, or */*.",
    )


def _wanted(text: str) -> _Wanted:
    kind, *said = _BETWEEN_SEMICOLONS.findall(text) or [""]
    pairs = (option.partition("=") for option in said)
    options = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
    return _Wanted(kind.strip().lower(), options, _weight(options.get("q", "1")))


def _weight(text: str) -> float:
    """Return a weight (RFC 9110 12.4.2); 0 for what is none."""
    return float(text) if re.fullmatch(r"[01](?:\.[0-9]{0,3})?", text) else 0.0


def _liking(said: Sequence[_Wanted], form: Form, transfer_syntax_uid: str) -> tuple[float, int]:
    """Return how much a form is liked: by what fits it most closely, and more where that was said earlier."""
    fitting = [
        (_closeness(one), -place, one.weight)
        for place, one in enumerate(said)
        if _fits(one, form, transfer_syntax_uid)
    ]
    if not fitting:
        return 0.0, 0
    _, place, weight = max(fitting)
    return weight, place


def _closeness(wanted: _Wanted) -> tuple[int, int]:
    """Return how closely a media type is said: a range least, a type with options most."""
    named = sum(name in wanted.options for name in ("type", "transfer-syntax"))
    return -wanted.kind.count("*"), named


def _fits(wanted: _Wanted, form: Form, transfer_syntax_uid: str) -> bool:
    parts = wanted.options.get("type", "").lower()
    syntax = wanted.options.get("transfer-syntax", "*")
    return (
        _covers(wanted.kind, form.media_type)
        and (not parts or _covers(parts, form.parts))
        and syntax in ("*", transfer_syntax_uid)
    )


def _covers(wanted: str, media_type: str) -> bool:
    """Whether a media type, or a range of them, holds another one."""
    return wanted in ("*/*", media_type, f"{media_type.partition('/')[0]}/*")
