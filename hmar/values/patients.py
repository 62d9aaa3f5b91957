"""Keys of patients: what stands for a patient id wherever anything is kept."""

from __future__ import annotations

import hashlib
import hmac
import re

_KEY = re.compile(r"[0-9a-f]{32}")


def is_patient_key(value: object) -> bool:
    """Return whether a value looks like what :class:`hmar.dicom.deidentify.PatientHasher` makes of an id."""
    return isinstance(value, str) and _KEY.fullmatch(value) is not None


def next_key(key: str, step: bytes) -> str:
    """Return the key of a patient once the site's secret was rotated.

    Parameters
    ----------
    key : str
        The key before.
    step : bytes
        What the rotation has drawn. Without it nobody can tell the next key, or that two are of one patient.
    """
    return hmac.new(step, key.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]
