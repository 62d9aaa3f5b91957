"""Keys of patients: what stands for a patient id wherever anything is kept."""

from __future__ import annotations

import re

_KEY = re.compile(r"[0-9a-f]{32}")


def is_patient_key(value: object) -> bool:
    """Return whether a value looks like what :class:`hmar.dicom.deidentify.PatientHasher` makes of an id."""
    return isinstance(value, str) and _KEY.fullmatch(value) is not None
