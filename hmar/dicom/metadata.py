"""What a search may be filtered by besides modality and body part: header values without names in them."""

from __future__ import annotations

import re
from datetime import date

from pydicom.dataset import Dataset

from hmar.dicom.header import text
from hmar.filters import OLDEST, SEXES, manufacturer_value

_AGE = re.compile(r"([0-9]{1,3})([DWMY])")
_PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12, "Y": 1}
_IMPOSSIBLE_AGE = 130
_DATE = re.compile(r"([0-9]{4})(\.?)([0-9]{2})\2([0-9]{2})")


def sex(dataset: Dataset) -> str | None:
    """Return Patient's Sex (0010,0040) as F, M or O; None for anything else."""
    value = text(dataset, "PatientSex").upper()
    return value if value in SEXES else None


def age_years(dataset: Dataset) -> int | None:
    """Return Patient's Age (0010,1010) in whole years; see :func:`age_value`."""
    return age_value(text(dataset, "PatientAge"))


def age_value(typed: str) -> int | None:
    """Return an age string in whole years, None where it is none.

    Days, weeks, months or years (VR AS, PS3.5 6.2), rounded down. Ages above 89 become 90. An age of more
    than 130 years stands for none.
    """
    found = _AGE.fullmatch(typed.upper())
    if found is None:
        return None
    years = int(int(found[1]) / _PER_YEAR[found[2]])
    return min(years, OLDEST) if years <= _IMPOSSIBLE_AGE else None


def study_date(dataset: Dataset) -> date | None:
    """Return Study Date (0008,0020), None where it is none.

    Forms: YYYYMMDD, and YYYY.MM.DD of the standard before DICOM (VR DA, PS3.5 6.2).
    """
    found = _DATE.fullmatch(text(dataset, "StudyDate"))
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return None


def manufacturer(dataset: Dataset) -> str | None:
    """Return Manufacturer (0008,0070) in the form of :func:`hmar.filters.manufacturer_value`."""
    return manufacturer_value(text(dataset, "Manufacturer"))
