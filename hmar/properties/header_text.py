"""What the text of a header's element says: age strings, dates and decimal strings (PS3.5 6.2)."""

from __future__ import annotations

import math
import re
from datetime import date

_AGE = re.compile(r"([0-9]{1,3})([DWMY])")
_PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12, "Y": 1}
_IMPOSSIBLE_AGE = 130
_DATE = re.compile(r"([0-9]{4})(\.?)([0-9]{2})\2([0-9]{2})")


def whole_years(text: str) -> int | None:
    """Return an age string in whole years, None where it is none.

    Days, weeks, months or years (VR AS), rounded down. An age of more than 130 years counts as unknown.
    """
    found = _AGE.fullmatch(text.upper())
    if found is None:
        return None
    years = int(int(found[1]) / _PER_YEAR[found[2]])
    return years if years <= _IMPOSSIBLE_AGE else None


def day(text: str) -> date | None:
    """Return a date, None where it is none.

    Forms: YYYYMMDD, and YYYY.MM.DD of the standard before DICOM (VR DA).
    """
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return None


def decimal(text: str) -> float | None:
    """Return a number (VR DS), None where it is none or not finite."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
