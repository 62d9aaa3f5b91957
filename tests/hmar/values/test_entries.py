"""Series as they are listed."""

from __future__ import annotations

from dataclasses import replace

from hmar.values.entries import EntryInfo, Origin, SeriesInfo
from hmar.values.listed_patients import PatientHandles
from tests.contract.examples import MODEL, info

ENTRY = EntryInfo(1, "default", info(), MODEL, Origin("local", "a/file"))


def test_a_series_is_read_as_it_is_told() -> None:
    series = SeriesInfo.of(ENTRY, 7)
    assert SeriesInfo.from_dict(series.to_dict()) == series
    assert (series.frames, series.label) == (7, ENTRY.info.label)
    assert SeriesInfo.from_dict(replace(series, study_date=None).to_dict()).study_date is None


def test_series_have_the_handle_of_their_patient() -> None:
    handles, series = PatientHandles(b"secret"), SeriesInfo.of(ENTRY, 7)
    nobodys = replace(series, patient_key=None)
    listed = handles.with_handles([series, nobodys, series])
    assert [one.patient for one in listed] == [
        handles.handle(series.patient_key or ""),
        None,
        listed[0].patient,
    ]
    assert SeriesInfo.from_dict(listed[0].to_dict()) == listed[0]


def test_the_key_of_a_patient_is_neither_told_nor_shown() -> None:
    series = SeriesInfo.of(ENTRY, 7)
    key = ENTRY.info.patient_key
    assert key is not None
    assert series.patient_key == key
    assert key not in str(series.to_dict())
    assert key not in repr(series)
