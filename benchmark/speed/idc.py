"""Real metadata at real scale: every series of the NCI Imaging Data Commons (idc-index-data, MIT)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache

import pyarrow.parquet as parquet
from idc_index_data import IDC_INDEX_PARQUET_FILEPATH

from hmar.dicom.metadata import age_value
from hmar.filters import SEXES, code_value, manufacturer_value
from hmar.values.frames import FrameInfo

_BATCH = 1 << 16
_COLUMNS = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "PatientID",
    "Modality",
    "BodyPartExamined",
    "PatientSex",
    "PatientAge",
    "StudyDate",
    "Manufacturer",
)


def series_infos() -> Iterator[list[FrameInfo]]:
    """Yield every series as one frame, in batches; values are kept as those of a header are.

    Patient ids are used as patient keys: those of this public archive are pseudonyms.
    """
    file = parquet.ParquetFile(IDC_INDEX_PARQUET_FILEPATH)
    for batch in file.iter_batches(_BATCH, columns=list(_COLUMNS)):
        columns = [batch.column(name).to_pylist() for name in _COLUMNS]
        yield [_info(*values) for values in zip(*columns, strict=True)]


def _info(
    study: str,
    series: str,
    patient: str | None,
    modality: str | None,
    body_part: str | None,
    sex: str | None,
    age: str | None,
    day: str | None,
    maker: str | None,
) -> FrameInfo:
    return FrameInfo(
        study_uid=study,
        series_uid=series,
        sop_instance_uid=series,
        frame_number=1,
        modality=_code(modality or "") or "OT",
        body_part=_code(body_part or ""),
        patient_key=patient,
        rows=512,
        columns=512,
        spacing=None,
        sex=sex if sex in SEXES else None,
        age_years=_age(age or ""),
        study_date=_day(day or ""),
        manufacturer=_maker(maker or ""),
    )


_code = cache(code_value)
_age = cache(age_value)
_maker = cache(manufacturer_value)


@cache
def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
