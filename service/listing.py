"""Series as they are listed: with a handle of the patient, whose key stays on the server."""

from __future__ import annotations

from collections.abc import Iterable

from hmar.secrets import Secrets
from hmar.values.entries import SeriesInfo
from hmar.values.listed_patients import PatientHandles
from service.models.archive import Series


def listed_series(series: Iterable[SeriesInfo], secrets: Secrets) -> list[Series]:
    """Return series for an answer, in their order."""
    return [Series.of(one.to_dict()) for one in PatientHandles(secrets.handles).with_handles(series)]
