"""Series as they are listed."""

from __future__ import annotations

from dataclasses import replace

from hmar.values.entries import EntryInfo, Origin, SeriesInfo
from tests.contract.examples import MODEL, info

ENTRY = EntryInfo(1, "default", info(), MODEL, Origin("local", "a/file"))


def test_a_series_is_read_as_it_is_told() -> None:
    series = SeriesInfo.of(ENTRY, 7)
    assert SeriesInfo.from_dict(series.to_dict()) == series
    assert (series.frames, series.label) == (7, ENTRY.info.label)
    assert SeriesInfo.from_dict(replace(series, study_date=None).to_dict()).study_date is None


def test_the_key_of_a_patient_is_neither_told_nor_shown() -> None:
    series = SeriesInfo.of(ENTRY, 7)
    key = ENTRY.info.patient_key
    assert key is not None
    assert series.patient_key == key
    assert key not in str(series.to_dict())
    assert key not in repr(series)
