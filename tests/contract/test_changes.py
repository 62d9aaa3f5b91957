"""What happened, what collections hold, and the studies, in every catalogue."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from hmar.ports import Catalogue
from hmar.values.changes import Change, Changes
from hmar.values.collections import CollectionInfo
from hmar.values.deletion import Collections, Selector
from hmar.values.listed_patients import PatientInfo
from hmar.values.wanted_studies import WantedStudies
from tests.contract.examples import MODEL, ORIGIN, OTHER_MODEL, Clock, encoded


def told(changes: Changes) -> list[tuple[int, str, int, str | None]]:
    """Return each change with the UID that is known."""
    return [
        (one.seq, one.kind, one.entry_id, one.entry and one.entry.info.sop_instance_uid)
        for one in changes.changes
    ]


def test_changes_come_in_the_order_of_the_log_page_by_page(catalogue: Catalogue, clock: Clock) -> None:
    assert catalogue.changes(0, 10) == Changes([], 0)
    catalogue.append("a", [encoded("1.1"), encoded("1.2")], ORIGIN)
    clock.now += 5
    catalogue.append("b", [encoded("1.1", model=OTHER_MODEL)], ORIGIN)
    catalogue.delete(Selector("instance", "1.1"), "a")
    everything = catalogue.changes(0, 10)
    assert told(everything) == [
        (1, "add", 1, None),
        (2, "add", 2, "1.2"),
        (3, "add", 3, "1.1"),
        (4, "delete", 1, None),
    ]
    assert [one.created_at for one in everything.changes] == [1000.0, 1000.0, 1005.0, 1005.0]
    assert everything.last_seq == 4
    entry = catalogue.entries([2])[2]
    assert everything.changes[1] == Change(2, "add", 2, "a", 1000.0, entry)
    pages = [catalogue.changes(after, 3) for after in (0, 3, 4)]
    assert [page.last_seq for page in pages] == [3, 4, 4]
    assert [*pages[0].changes, *pages[1].changes, *pages[2].changes] == everything.changes


def test_changes_of_some_collections_are_told_alone(catalogue: Catalogue) -> None:
    for number, collection in enumerate("abab", start=1):
        catalogue.append(collection, [encoded(f"1.{number}")], ORIGIN)
    assert told(catalogue.changes(0, 1, "b")) == [(2, "add", 2, "1.2")]
    assert told(catalogue.changes(2, 9, frozenset("b"))) == [(4, "add", 4, "1.4")]
    assert catalogue.changes(4, 9, "a") == Changes([], 4)
    assert catalogue.changes(0, 9, frozenset()).changes == []


def test_what_collections_hold_is_counted(catalogue: Catalogue, clock: Clock) -> None:
    assert catalogue.collections(MODEL) == []
    frames = [
        encoded("1.1", windows=3, series_uid="s1", study_uid="t1", patient_key="p", label="x"),
        encoded("1.2", windows=0, series_uid="s1", study_uid="t1", patient_key="p", label="y"),
        encoded("1.3", windows=1, series_uid="s2", study_uid="t1", patient_key="q", label="x"),
        encoded("1.4", windows=1, series_uid="s3", study_uid="t2", patient_key=None, label=None),
    ]
    catalogue.append("b", frames, ORIGIN)
    clock.now += 7
    catalogue.append("a", [encoded("1.1", windows=2), encoded("1.5", model=OTHER_MODEL)], ORIGIN)
    size = sum(part.nbytes for one in frames for part in (one.global_code, one.window_codes, one.window_ids))
    [first, second] = catalogue.collections(MODEL)
    assert (first.collection, first.frames, first.last_indexed_at) == ("a", 1, 1007.0)
    assert second == CollectionInfo("b", 4, 3, 2, 2, {"x": 2, "y": 1}, size, 1000.0, windows=5)
    assert catalogue.collections(MODEL, "a") == [first]
    assert catalogue.collections(MODEL, frozenset({"b", "c"})) == [second]
    assert catalogue.collections(MODEL, frozenset()) == []
    catalogue.delete(Selector("study", "t1"), "b")
    assert catalogue.collections(MODEL, "b")[0].frames == 1


def test_studies_are_listed_by_collection_and_uid_with_their_series(catalogue: Catalogue) -> None:
    assert catalogue.studies(MODEL) == ([], False)
    day, before = date(2026, 3, 1), date(2026, 2, 1)
    frames = [
        encoded("1.1", study_uid="t2", series_uid="s1", modality="CT", study_date=day),
        encoded("1.2", study_uid="t2", series_uid="s1", modality="CT", study_date=day),
        encoded("1.3", study_uid="t2", series_uid="s0", modality="PT", study_date=before),
        encoded("1.4", study_uid="t1", series_uid="s2", modality="MR", study_date=None),
        encoded("1.5", study_uid="t0", series_uid="s3", model=OTHER_MODEL),
    ]
    catalogue.append("b", frames, ORIGIN)
    catalogue.append("a", frames[:1], ORIGIN)
    listed, _ = catalogue.studies(MODEL)
    assert [(one.collection, one.study_uid) for one in listed] == [("a", "t2"), ("b", "t1"), ("b", "t2")]
    assert [one.series_uid for one in listed[2].series] == ["s0", "s1"]
    assert listed[2].to_dict() == {
        "study_uid": "t2",
        "collection": "b",
        "study_date": "2026-02-01",
        "modalities": ["CT", "PT"],
        "series": 2,
        "frames": 3,
    }
    assert listed[1].to_dict()["study_date"] is None
    assert catalogue.studies(MODEL, limit=2) == (listed[:2], True)
    assert catalogue.studies(MODEL, offset=2, limit=1) == (listed[2:], False)
    assert catalogue.studies(MODEL, offset=3) == ([], False)
    assert catalogue.studies(MODEL, wanted=WantedStudies("t2")) == ([listed[0], listed[2]], False)
    assert catalogue.studies(MODEL, frozenset({"b"}), WantedStudies("t2")) == ([listed[2]], False)
    assert (
        catalogue.studies(MODEL, "c") == catalogue.studies(MODEL, wanted=WantedStudies("t9")) == ([], False)
    )


def fill_with_patients(catalogue: Catalogue) -> None:
    """Add four studies of two patients and one of nobody known, in two collections."""

    def add(collection: str, uid: str, study: str, **known: Any) -> None:
        frame = encoded(uid, study_uid=study, series_uid=f"{study}.1", **known)
        catalogue.append(collection, [frame], ORIGIN)

    add("b", "1.1", "t1", patient_key="p", modality="CT", body_part="CHEST", study_date=date(2026, 1, 5))
    add("b", "1.2", "t2", patient_key="p", modality="MR", body_part="HEAD", study_date=date(2026, 3, 1))
    add("a", "1.3", "t3", patient_key="q", modality="CT", body_part="HEAD", study_date=None)
    add("a", "1.4", "t4", patient_key=None, modality="CT", body_part="CHEST", study_date=date(2026, 2, 1))
    add("a", "1.5", "t5", patient_key="r", model=OTHER_MODEL)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["t3", "t4", "t1", "t2"]),
        ({"order": "newest"}, ["t2", "t4", "t1", "t3"]),
        ({"order": "oldest"}, ["t1", "t4", "t2", "t3"]),
        ({"patient_key": "p"}, ["t1", "t2"]),
        ({"patient_key": "r"}, []),
        ({"modality": "CT", "body_part": "CHEST"}, ["t4", "t1"]),
        ({"modality": "MR", "body_part": "CHEST"}, []),
        ({"since": date(2026, 2, 1)}, ["t4", "t2"]),
        ({"until": date(2026, 2, 1)}, ["t4", "t1"]),
        ({"since": date(2026, 2, 1), "until": date(2026, 2, 1)}, ["t4"]),
    ],
)
def test_studies_are_chosen_and_sorted(
    catalogue: Catalogue, wanted: dict[str, Any], found: list[str]
) -> None:
    fill_with_patients(catalogue)
    listed, more = catalogue.studies(MODEL, wanted=WantedStudies(**wanted))
    assert ([one.study_uid for one in listed], more) == (found, False)
    page, more = catalogue.studies(MODEL, wanted=WantedStudies(**wanted), offset=1, limit=1)
    assert ([one.study_uid for one in page], more) == (found[1:2], len(found) > 2)


def test_a_study_is_listed_whole_if_one_of_its_series_fits(catalogue: Catalogue) -> None:
    early, late = date(2026, 1, 1), date(2026, 5, 1)
    catalogue.append("b", [encoded("1.1", series_uid="s1", modality="CT", study_date=late)], ORIGIN)
    catalogue.append("b", [encoded("1.2", series_uid="s2", modality="SC", study_date=early)], ORIGIN)
    [study], _ = catalogue.studies(MODEL, wanted=WantedStudies(modality="CT", order="newest"))
    assert (study.study_date, [one.series_uid for one in study.series]) == (early, ["s1", "s2"])


def test_patients_are_listed_in_numbers(catalogue: Catalogue) -> None:
    assert catalogue.patient_list(MODEL) == ([], False)
    fill_with_patients(catalogue)
    catalogue.append("a", [encoded("1.1", study_uid="t1", series_uid="s0", patient_key="p")], ORIGIN)
    p = catalogue.patient_list(MODEL, "b").patients[0]
    assert p == PatientInfo("p", 2, 2, 2, date(2026, 1, 5), date(2026, 3, 1), ("CT", "MR"))
    (p, q), more = catalogue.patient_list(MODEL)
    assert (p.studies, p.series, p.frames, more) == (2, 3, 3, False)
    assert q == PatientInfo("q", 1, 1, 1, None, None, ("CT",))
    assert catalogue.patient_list(MODEL, limit=1) == ([p], True)
    assert catalogue.patient_list(MODEL, offset=1, limit=1) == ([q], False)
    assert catalogue.patient_list(MODEL, frozenset()) == ([], False)
    assert catalogue.patient_keys(MODEL) == {"p", "q"}
    assert catalogue.patient_keys(MODEL, "b") == {"p"}


def test_studies_are_found_by_modality_and_day_each_once(catalogue: Catalogue) -> None:
    day, before = date(2026, 3, 1), date(2026, 2, 1)
    frames = [
        encoded("1.1", study_uid="t2", modality="CT", study_date=day),
        encoded("1.2", study_uid="t2", series_uid="s0", modality="PT", study_date=day),
        encoded("1.3", study_uid="t1", modality="CT", study_date=before),
        encoded("1.4", study_uid="t3", modality="CT", study_date=None),
        encoded("1.5", study_uid="t0", model=OTHER_MODEL),
    ]
    catalogue.append("b", frames, ORIGIN)
    catalogue.append("a", frames[:1], ORIGIN)

    def found(wanted: WantedStudies, collection: Collections = None) -> list[str]:
        return catalogue.study_uids(MODEL, wanted, collection)

    assert found(WantedStudies()) == ["t1", "t2", "t3"]
    assert found(WantedStudies(), "a") == found(WantedStudies(modality="PT")) == ["t2"]
    assert found(WantedStudies(), frozenset()) == found(WantedStudies(modality="MR")) == []
    assert found(WantedStudies(since=before)) == found(WantedStudies(since=before, until=day)) == ["t1", "t2"]
    assert found(WantedStudies(modality="CT", until=before)) == ["t1"]
    # One series must fit: no day of another one counts.
    assert found(WantedStudies(modality="PT", until=before)) == []
