from __future__ import annotations

import numpy as np
import pytest

from hmar.ports import Catalogue
from hmar.properties.declaration import Property
from hmar.properties.table import TABLE
from hmar.values.deletion import Collections, Deleted, Extent, Level, Selector
from hmar.values.entries import Appended, LogRow, Origin
from tests.contract.examples import MODEL, ORIGIN, OTHER_MODEL, encoded, same_codes
from tests.samples import samples, unknown

NOTHING = Deleted(Extent(0, 0, 0, 0), ())


def whole_log(catalogue: Catalogue) -> list[LogRow]:
    rows: list[LogRow] = []
    while batch := catalogue.tail(rows[-1].seq if rows else 0, 2):
        rows += batch
    return rows


def test_an_empty_catalogue_holds_nothing(catalogue: Catalogue) -> None:
    assert catalogue.last_seq() == 0
    assert catalogue.tail(0, 10) == []
    assert catalogue.entries([1, 2]) == {}
    assert catalogue.entries([]) == {}
    assert catalogue.find("1.2.3", MODEL) == []
    assert catalogue.series(MODEL) == []
    assert catalogue.frames("default", "1.2.9", MODEL) == []
    assert catalogue.delete(Selector("series", "1.2.9")) == NOTHING
    assert catalogue.extent(Selector("series", "1.2.9")) == Extent(0, 0, 0, 0)
    assert catalogue.referred([ORIGIN]) == set()
    assert catalogue.append("default", [], ORIGIN) == Appended(0, 0)


@pytest.mark.parametrize("windows", [0, 1, 250])
def test_what_is_appended_comes_back_from_the_log_unchanged(catalogue: Catalogue, windows: int) -> None:
    frame = encoded(windows=windows)
    assert catalogue.append("default", [frame], ORIGIN) == Appended(1, 0)
    (row,) = catalogue.tail(0, 10)
    assert (row.seq, row.kind, row.entry_id, row.collection) == (1, "add", 1, "default")
    assert row.encoded is not None
    assert same_codes(row.encoded, frame)
    assert row.encoded.window_ids.dtype == np.uint32


def test_a_frame_with_nothing_optional_comes_back_unchanged(catalogue: Catalogue) -> None:
    bare = encoded(
        patient_key=None,
        spacing=None,
        series_number=None,
        instance_number=None,
        position=None,
        uids_derived=True,
        pixel_aspect=None,
        **unknown(),
    )
    catalogue.append("default", [bare], ORIGIN)
    (row,) = catalogue.tail(0, 1)
    assert row.encoded is not None
    assert same_codes(row.encoded, bare)
    assert catalogue.entries([1])[1].info == bare.info


@pytest.mark.parametrize("item", TABLE.values(), ids=lambda item: item.name)
def test_every_value_of_a_property_comes_back_unchanged(catalogue: Catalogue, item: Property) -> None:
    values = samples(item)
    frames = [encoded(str(number), **{item.name: value}) for number, value in enumerate(values)]
    catalogue.append("default", frames, ORIGIN)
    entries = catalogue.entries(range(1, len(values) + 1))
    kept = [getattr(entries[number].info, item.name) for number in range(1, len(values) + 1)]
    assert kept == list(values)
    assert {type(value) for value in kept} == {item.kind.stored}


def test_a_frame_is_kept_once_for_each_collection_and_model(catalogue: Catalogue) -> None:
    frames = [encoded(), encoded(frame_number=2), encoded()]
    assert catalogue.append("default", frames, ORIGIN) == Appended(2, 1)
    assert catalogue.append("default", frames, Origin("local", "b")) == Appended(0, 3)
    assert catalogue.append("other", frames[:1], ORIGIN) == Appended(1, 0)
    assert catalogue.append("default", [encoded(model=OTHER_MODEL)], ORIGIN) == Appended(1, 0)
    assert catalogue.entries([1])[1].origin == ORIGIN
    assert [row.seq for row in whole_log(catalogue)] == [1, 2, 3, 4]


def test_sequence_numbers_have_no_gaps_and_an_entry_is_named_by_its_own(catalogue: Catalogue) -> None:
    for number in range(1, 8):
        catalogue.append("default", [encoded(f"1.{number}"), encoded(f"1.{number}", 2)], ORIGIN)
    rows = whole_log(catalogue)
    assert [row.seq for row in rows] == list(range(1, 15)) == [row.entry_id for row in rows]
    assert catalogue.last_seq() == 14
    assert [row.seq for row in catalogue.tail(12, 100)] == [13, 14]
    assert catalogue.tail(14, 100) == []
    assert catalogue.tail(0, 0) == []


def test_a_deleted_series_leaves_tombstones_and_no_codes(catalogue: Catalogue) -> None:
    catalogue.append("default", [encoded("1.1"), encoded("1.1", 2)], ORIGIN)
    catalogue.append("default", [encoded("1.2", series_uid="9.9")], ORIGIN)
    catalogue.append("other", [encoded("1.1")], ORIGIN)
    deleted = catalogue.delete(Selector("series", "1.2.9"), "default")
    assert deleted == Deleted(Extent(2, 1, 1, 1), ())
    rows = whole_log(catalogue)
    assert [(row.seq, row.kind, row.entry_id, row.encoded is None) for row in rows] == [
        (1, "add", 1, True),
        (2, "add", 2, True),
        (3, "add", 3, False),
        (4, "add", 4, False),
        (5, "delete", 1, True),
        (6, "delete", 2, True),
    ]
    assert {row.collection for row in rows if row.kind == "delete"} == {"default"}
    assert set(catalogue.entries([1, 2, 3, 4])) == {3, 4}
    assert catalogue.delete(Selector("series", "1.2.9"), "default") == NOTHING
    assert catalogue.last_seq() == 6


ONE = {"study_uid": "1", "series_uid": "1.1", "patient_key": "p"}


def fill_with_levels(catalogue: Catalogue) -> None:
    """Add five instances in two collections: two patients, three studies, four series."""
    catalogue.append("a", [encoded("1.1.1", 1, **ONE), encoded("1.1.1", 2, **ONE)], Origin("upload", "u1"))
    catalogue.append("a", [encoded("1.1.2", **ONE)], Origin("upload", "u2"))
    catalogue.append("b", [encoded("1.1.1", **ONE)], Origin("upload", "u1"))
    catalogue.append("b", [encoded("1.2.1", **{**ONE, "series_uid": "1.2"})], Origin("local", "u2"))
    catalogue.append("b", [encoded("2.1.1", **{**ONE, "study_uid": "2", "series_uid": "2.1"})], ORIGIN)
    other = {"study_uid": "3", "series_uid": "3.1", "patient_key": "q"}
    catalogue.append("a", [encoded("3.1.1", **other)], Origin("local", "other"))


@pytest.mark.parametrize(
    ("level", "value", "collection", "extent", "orphans"),
    [
        ("instance", "1.1.1", "a", Extent(2, 1, 1, 1), ()),
        ("instance", "1.1.1", None, Extent(3, 1, 1, 1), (Origin("upload", "u1"),)),
        ("series", "1.1", None, Extent(4, 2, 1, 1), (Origin("upload", "u1"), Origin("upload", "u2"))),
        ("study", "1", "b", Extent(2, 2, 2, 1), (Origin("local", "u2"),)),
        ("study", "2", None, Extent(1, 1, 1, 1), (ORIGIN,)),
        ("instance", "1.1.1", frozenset({"a", "b"}), Extent(3, 1, 1, 1), (Origin("upload", "u1"),)),
        ("study", "1", frozenset({"b", "c"}), Extent(2, 2, 2, 1), (Origin("local", "u2"),)),
        ("study", "1", frozenset(), Extent(0, 0, 0, 0), ()),
        (
            "patient",
            "p",
            None,
            Extent(6, 4, 3, 2),
            (ORIGIN, Origin("local", "u2"), Origin("upload", "u1"), Origin("upload", "u2")),
        ),
        ("patient", "nobody", None, Extent(0, 0, 0, 0), ()),
    ],
)
def test_an_instance_series_study_or_patient_is_deleted_and_nothing_else(
    catalogue: Catalogue,
    level: Level,
    value: str,
    collection: Collections,
    extent: Extent,
    orphans: tuple[Origin, ...],
) -> None:
    fill_with_levels(catalogue)
    before = {entry.entry_id: entry for entry in catalogue.entries(range(1, 20)).values()}
    selector = Selector(level, value)
    assert catalogue.extent(selector, collection) == extent
    assert catalogue.delete(selector, collection) == Deleted(extent, orphans)
    assert catalogue.extent(selector, collection) == Extent(0, 0, 0, 0)
    after = catalogue.entries(range(1, 20))
    logged = [(row.entry_id, row.collection) for row in whole_log(catalogue) if row.kind == "delete"]
    assert logged == [(gone, before[gone].collection) for gone in sorted(set(before) - set(after))]
    assert len(logged) == extent.frames
    assert not catalogue.referred(orphans)


def test_the_patients_of_an_instance_are_those_of_all_its_collections(catalogue: Catalogue) -> None:
    catalogue.append("a", [encoded("1.1", patient_key="p")], ORIGIN)
    catalogue.append("b", [encoded("1.1", patient_key="q"), encoded("1.2", patient_key=None)], ORIGIN)
    assert catalogue.patients("1.1", MODEL) == {"p", "q"}
    assert catalogue.patients("1.2", MODEL) == catalogue.patients("1.1", OTHER_MODEL) == frozenset()


def test_the_entries_of_some_instances_are_told_by_model(catalogue: Catalogue) -> None:
    catalogue.append("a", [encoded("1.1", 1), encoded("1.1", 2), encoded("1.2")], ORIGIN)
    catalogue.append("b", [encoded("1.1"), encoded("1.3"), encoded("1.1", model=OTHER_MODEL)], ORIGIN)
    assert catalogue.ids_of(["1.1", "1.3", "1.9"], MODEL) == {1, 2, 4, 5}
    assert catalogue.ids_of({"1.1"}, OTHER_MODEL) == {6}
    assert catalogue.ids_of([f"2.{number}" for number in range(1000)] + ["1.2"], MODEL) == {3}
    assert catalogue.ids_of([], MODEL) == frozenset()


def test_frames_of_every_model_are_deleted(catalogue: Catalogue) -> None:
    catalogue.append("default", [encoded(), encoded(model=OTHER_MODEL)], ORIGIN)
    assert catalogue.delete(Selector("instance", "1.2.3")).extent == Extent(1, 1, 1, 1), "it is one frame"


def test_an_origin_is_referred_to_by_its_source_and_reference(catalogue: Catalogue) -> None:
    catalogue.append("default", [encoded()], Origin("upload", "u1"))
    asked = [Origin("upload", "u1"), Origin("local", "u1"), Origin("upload", "u2")]
    assert catalogue.referred(asked) == {Origin("upload", "u1")}
    assert catalogue.referred([]) == set()


@pytest.mark.slow
def test_a_study_of_thousands_of_frames_is_deleted(catalogue: Catalogue) -> None:
    frames = [encoded(f"1.{number % 7}", number, windows=0) for number in range(1, 5006)]
    catalogue.append("default", frames, ORIGIN)
    catalogue.append("default", [encoded("2.1", study_uid="2")], ORIGIN)
    assert catalogue.delete(Selector("study", "1.2")) == Deleted(Extent(5005, 7, 1, 1), ())
    assert catalogue.last_seq() == 2 * 5005 + 1
    assert set(catalogue.entries(range(1, 5010))) == {5006}


def test_the_marks_of_log_rows_differ_between_transactions_and_never_change(catalogue: Catalogue) -> None:
    for number in range(4):
        catalogue.append("default", [encoded(f"1.{number}")], ORIGIN)
    marks = [row.mark for row in whole_log(catalogue)]
    assert len(set(marks)) == 4
    catalogue.delete(Selector("series", "1.2.9"))
    rows = whole_log(catalogue)
    assert [row.mark for row in rows[:4]] == marks
    assert all(len(row.mark) == 32 for row in rows)
    assert not {row.mark for row in rows[4:]} & set(marks)


def test_marks_are_those_of_the_log_with_and_without_codes(catalogue: Catalogue) -> None:
    assert catalogue.marks(0, 2) == []
    for number in range(3):
        catalogue.append("default", [encoded(f"1.{number}")], ORIGIN)
    catalogue.delete(Selector("instance", "1.1"))
    marks = [row.mark for row in whole_log(catalogue)]
    assert catalogue.marks(0, 100) == marks
    assert catalogue.marks(1, 2) == marks[1:3]
    assert catalogue.marks(3, 2) == marks[3:]
    assert catalogue.marks(-1, 1) == marks[:1]
    assert catalogue.marks(4, 2) == catalogue.marks(0, 0) == []


def test_a_deleted_frame_can_be_added_again_as_a_new_entry(catalogue: Catalogue) -> None:
    catalogue.append("default", [encoded()], ORIGIN)
    catalogue.delete(Selector("series", "1.2.9"))
    assert catalogue.append("default", [encoded()], ORIGIN) == Appended(1, 0)
    assert [entry.entry_id for entry in catalogue.find("1.2.3", MODEL)] == [3]


def test_an_instance_is_found_by_model_and_collection_in_order_of_frame_number(catalogue: Catalogue) -> None:
    catalogue.append("b", [encoded(frame_number=2), encoded(frame_number=1)], ORIGIN)
    catalogue.append("a", [encoded(frame_number=1), encoded("7.7")], ORIGIN)
    catalogue.append("a", [encoded(frame_number=1, model=OTHER_MODEL)], ORIGIN)
    found = catalogue.find("1.2.3", MODEL)
    assert [(entry.info.frame_number, entry.entry_id) for entry in found] == [(1, 2), (1, 3), (2, 1)]
    assert [entry.entry_id for entry in catalogue.find("1.2.3", MODEL, "a")] == [3]
    assert catalogue.find("1.2.3", MODEL, "c") == []


def test_series_are_listed_by_collection_study_and_uid_with_their_frames(catalogue: Catalogue) -> None:
    catalogue.append("b", [encoded("1.1"), encoded("1.2", modality="MR", body_part=None)], ORIGIN)
    catalogue.append("a", [encoded("1.3", series_uid="5", study_uid="2")], ORIGIN)
    catalogue.append("a", [encoded("1.4", series_uid="6", study_uid="1")], ORIGIN)
    catalogue.append("a", [encoded("1.5", model=OTHER_MODEL)], ORIGIN)
    listed = [
        (s.collection, s.study_uid, s.series_uid, s.modality, s.frames) for s in catalogue.series(MODEL)
    ]
    assert listed == [("a", "1", "6", "CT", 1), ("a", "2", "5", "CT", 1), ("b", "1.2", "1.2.9", "CT", 2)]


def test_the_series_of_a_study_or_a_collection_are_listed_alone(catalogue: Catalogue) -> None:
    catalogue.append("b", [encoded("1.1", series_uid="5", study_uid="2")], ORIGIN)
    catalogue.append("a", [encoded("1.1", series_uid="5", study_uid="2")], ORIGIN)
    catalogue.append("a", [encoded("1.2", series_uid="6", study_uid="2")], ORIGIN)
    catalogue.append("a", [encoded("1.3", series_uid="7", study_uid="3")], ORIGIN)
    asked: list[tuple[Selector | None, str | None]] = [
        (Selector("series", "5"), None),
        (Selector("study", "2"), None),
        (Selector("study", "2"), "b"),
        (None, "a"),
        (Selector("series", "2"), None),
        (None, "c"),
    ]
    listed = [[(s.collection, s.series_uid) for s in catalogue.series(MODEL, *each)] for each in asked]
    assert listed == [
        [("a", "5"), ("b", "5")],
        [("a", "5"), ("a", "6"), ("b", "5")],
        [("b", "5")],
        [("a", "5"), ("a", "6"), ("a", "7")],
        [],
        [],
    ]


def test_frames_are_displayed_from_high_to_low_along_the_axis_in_which_they_vary(
    catalogue: Catalogue,
) -> None:
    heights = {"1.1": -20.0, "1.2": 5.0, "1.3": -7.5}
    for sop, height in heights.items():
        catalogue.append("default", [encoded(sop, position=(100.0, 1.0, height))], ORIGIN)
    shown = catalogue.frames("default", "1.2.9", MODEL)
    assert [entry.info.sop_instance_uid for entry in shown] == ["1.2", "1.3", "1.1"]


def test_frames_without_positions_are_displayed_by_number(catalogue: Catalogue) -> None:
    for sop, number in {"1.1": 2, "1.2": None, "1.3": 1}.items():
        frames = [encoded(sop, frame, position=None, instance_number=number) for frame in (2, 1)]
        catalogue.append("default", frames, ORIGIN)
    shown = catalogue.frames("default", "1.2.9", MODEL)
    assert [(e.info.sop_instance_uid, e.info.frame_number) for e in shown] == [
        ("1.3", 1),
        ("1.3", 2),
        ("1.1", 1),
        ("1.1", 2),
        ("1.2", 1),
        ("1.2", 2),
    ]


@pytest.mark.slow
def test_thousands_of_entries_are_looked_up_at_once(catalogue: Catalogue) -> None:
    frames = [encoded("1.1", number, windows=0) for number in range(1, 6003)]
    assert catalogue.append("default", frames, ORIGIN) == Appended(6002, 0)
    assert len(catalogue.entries(range(1, 40_000))) == 6002


def test_codes_of_a_wrong_shape_are_refused_and_nothing_is_stored(catalogue: Catalogue) -> None:
    good, bad = encoded("1.1"), encoded("1.2")
    short = type(bad)(bad.info, bad.global_code[:8], bad.window_codes, bad.window_ids, bad.gate, MODEL)
    fewer = type(bad)(bad.info, bad.global_code, bad.window_codes, bad.window_ids[:1], bad.gate, MODEL)
    for wrong in (short, fewer):
        with pytest.raises(ValueError, match="expected"):
            catalogue.append("default", [good, wrong], ORIGIN)
    assert catalogue.last_seq() == 0


def test_a_caller_that_reuses_its_arrays_changes_nothing_stored(catalogue: Catalogue) -> None:
    frame, original = encoded(), encoded()
    catalogue.append("default", [frame], ORIGIN)
    frame.window_codes[:] = 0
    (row,) = catalogue.tail(0, 1)
    assert row.encoded is not None
    assert same_codes(row.encoded, original)
