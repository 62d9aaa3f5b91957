"""What a filter may ask for, in the very form in which the archive keeps it.

A value of a header and a value of a filter go through the same function here, so that what is shown of a hit
can be asked for, and finds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from hmar.errors import ParameterError

SEXES = ("F", "M", "O")
"""Patient's Sex (0010,0040): female, male, other (PS3.3 C.7.1.1)."""
OLDEST = 90
"""Stands for this age and all above: beyond 89 years, age singles people out (45 CFR 164.514(b)(2)(i)(C))."""
MAX_VALUES = 100
"""Values of one filter, of which any may hold."""

_CODE = re.compile(r"[A-Z0-9 _/&+-]{1,16}")
_NOT_IN_A_NAME = re.compile(r"[^A-Z0-9.,&/()+-]+")
_NAME_LENGTH = 64
_LABEL_LENGTH = 64
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def code_value(text: str) -> str | None:
    """Return a code string (modality, body part) as it is kept, None if it is none.

    Letters, digits, space and underscore, at most 16 (VR CS, PS3.5 6.2), and the signs that files add to
    them; in upper case.
    """
    value = text.strip().upper()
    return value if _CODE.fullmatch(value) else None


def manufacturer_value(text: str) -> str | None:
    """Return a manufacturer as it is kept, None if nothing is left of it.

    Upper case letters, digits and ``.,&/()+-``; a space for each run of anything else; at most 64 characters.
    """
    return _NOT_IN_A_NAME.sub(" ", text.upper()).strip()[:_NAME_LENGTH].strip() or None


def label_value(text: str) -> str:
    """Return a label without the spaces around it.

    Raises
    ------
    ParameterError
        Unless 1 to 64 printable characters are left.
    """
    value = text.strip()
    if not 1 <= len(value) <= _LABEL_LENGTH or not value.isprintable():
        shown = ascii(value)[:80]
        raise ParameterError(f"The label is {shown}.", f"Give 1 to {_LABEL_LENGTH} printable characters.")
    return value


def codes(name: str, values: Iterable[str]) -> frozenset[str]:
    """Return the values of a filter on code strings; raises ParameterError, which ``name`` stands in."""
    remedy = "Give 1 to 16 letters, digits, spaces or _/&+-."
    return frozenset(_kept(name, value, code_value(value), remedy) for value in values)


def sexes(values: Iterable[str]) -> frozenset[str]:
    """Return the values of a filter on the patient's sex; raises ParameterError for any but F, M and O."""
    remedy = f"Give one of {', '.join(SEXES)}."
    return frozenset(
        _kept("sex", value, upper if (upper := value.strip().upper()) in SEXES else None, remedy)
        for value in values
    )


def manufacturers(values: Iterable[str]) -> frozenset[str]:
    """Return the values of a filter on the manufacturer; raises ParameterError where nothing is left."""
    remedy = "Give a name with a letter or digit in it, such as SIEMENS."
    return frozenset(_kept("manufacturer", value, manufacturer_value(value), remedy) for value in values)


def labels(values: Iterable[str]) -> frozenset[str]:
    """Return the values of a filter on the label; raises ParameterError for what can be no label."""
    return frozenset(map(label_value, values))


def age_band(low: int | None, high: int | None) -> tuple[int, int]:
    """Return the least and the greatest age of a filter in whole years; None: as far as it goes.

    Raises
    ------
    ParameterError
        If neither is given, one is outside 0 to 90, or they are the wrong way round.
    """
    band = 0 if low is None else low, OLDEST if high is None else high
    if (low is None and high is None) or not 0 <= band[0] <= band[1] <= OLDEST:
        raise ParameterError(
            f"The age band is {low} to {high} years.",
            f"Give whole years from 0 to {OLDEST}, the lesser first; {OLDEST} stands for {OLDEST} and above.",
        )
    return band


def date_range(first: str | None, last: str | None) -> tuple[date, date]:
    """Return the first and the last study date of a filter; None: as far as it goes.

    Raises
    ------
    ParameterError
        If neither is given, one is no date, or they are the wrong way round.
    """
    days = _day(first, date.min), _day(last, date.max)
    if (first is None and last is None) or days[0] > days[1]:
        raise ParameterError(
            f"The study dates are {first} to {last}.", "Give YYYY-MM-DD for one or both, the earlier first."
        )
    return days


def _day(text: str | None, open_end: date) -> date:
    if text is None:
        return open_end
    try:
        # Of all that ISO 8601 allows, this form alone.
        return date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError as error:
        raise ParameterError(f"The study date is {ascii(text)[:80]}.", "Give YYYY-MM-DD.") from error


def _kept(name: str, value: str, kept: str | None, remedy: str) -> str:
    if kept is None:
        raise ParameterError(f"{name} is {ascii(value)[:80]}.", remedy)
    return kept
