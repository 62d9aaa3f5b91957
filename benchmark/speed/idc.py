"""Real metadata at real scale: every series of the NCI Imaging Data Commons (idc-index-data, MIT)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import pyarrow.parquet as parquet
from idc_index_data import IDC_INDEX_PARQUET_FILEPATH

from hmar.properties.declaration import Property
from hmar.properties.kinds.days import Days
from hmar.properties.kinds.kind import Value
from hmar.properties.table import TABLE
from hmar.values.frames import FrameInfo

_BATCH = 1 << 16
_IDENTITY = ("StudyInstanceUID", "SeriesInstanceUID", "PatientID")


def series_infos() -> Iterator[list[FrameInfo]]:
    """Yield every series as one frame, in batches; values are kept as those of a header are.

    Patient ids are used as patient keys: those of this public archive are pseudonyms.
    """
    file = parquet.ParquetFile(IDC_INDEX_PARQUET_FILEPATH)
    told = [item for item in TABLE.values() if set(item.sources) & set(file.schema.names)]
    keywords = [next(source for source in item.sources if source in file.schema.names) for item in told]
    readers = [cache(partial(_kept, item)) for item in told]
    for batch in file.iter_batches(_BATCH, columns=[*_IDENTITY, *keywords]):
        columns = [batch.column(name).to_pylist() for name in (*_IDENTITY, *keywords)]
        yield [
            _info(
                study,
                series,
                patient,
                {item.name: read(text) for item, read, text in zip(told, readers, texts, strict=True)},
            )
            for study, series, patient, *texts in zip(*columns, strict=True)
        ]


def _info(study: str, series: str, patient: str | None, properties: dict[str, Any]) -> FrameInfo:
    return FrameInfo(
        study_uid=study,
        series_uid=series,
        sop_instance_uid=series,
        frame_number=1,
        patient_key=patient,
        rows=512,
        columns=512,
        spacing=None,
        **properties,
    )


def _kept(item: Property, text: str | None) -> Value | None:
    """Return a property as it is kept; this archive writes days with hyphens, which DICOM does not."""
    typed = text or ""
    return item.read([[typed.replace("-", "") if isinstance(item.kind, Days) else typed]])
