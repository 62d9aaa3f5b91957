"""What a selection lets an index find, and in which groups, over every adapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from hmar.ports import CodeIndex
from hmar.properties.declaration import Property
from hmar.properties.table import TABLE
from hmar.values.codes import EncodedFrame, Query
from hmar.values.entries import LogRow
from hmar.values.selection import Selection
from tests.contract.examples import MODEL, bits_code, info
from tests.samples import conditions, fits, samples, unknown

UNKNOWN = {**unknown(), "patient_key": None}


def asked() -> Query:
    return Query(bits_code(), np.zeros((1, 16), np.uint8), (0.25, 0.75))


def added(seq: int, distance: int = 0, collection: str = "default", **known: Any) -> LogRow:
    """Add a frame at a distance from the query, alike for both experts, of which just ``known`` is known."""
    code = bits_code(*range(distance))
    encoded = EncodedFrame(
        info(str(seq), **(UNKNOWN | known)), code, code[None], np.array([7], np.uint32), (0.5, 0.5), MODEL
    )
    return LogRow(seq, "add", seq, collection, f"mark-{seq}", encoded)


def found(index: CodeIndex, k: int = 100, **wanted: Any) -> list[int]:
    """Return the entries found, the same ones in every mode and counted as many."""
    filters = {name: wanted.pop(name) for name in TABLE if name in wanted}
    selection = Selection(filters=filters, **wanted)
    answers = [
        [hit.entry_id for hit in search(asked(), k, bits, selection)]
        for search in (index.search_global, index.search_windows, index.search_fused)
        for bits in (64, 128)
    ]
    assert all(answer == answers[0] for answer in answers)
    return answers[0]


@pytest.fixture
def index(new_index: Callable[[], CodeIndex]) -> CodeIndex:
    return new_index()


def filled(index: CodeIndex, rows: Sequence[LogRow]) -> CodeIndex:
    index.apply(rows)
    return index


@pytest.mark.slow
@pytest.mark.parametrize("item", TABLE.values(), ids=lambda item: item.name)
def test_a_filter_finds_what_fits_and_never_what_is_unknown(index: CodeIndex, item: Property) -> None:
    values = [*samples(item), None] if item.unknown is None else list(samples(item))
    filled(index, [added(seq, **{item.name: value}) for seq, value in enumerate(values * 2, start=1)])
    for condition in conditions(item):
        fitting = [seq for seq, value in enumerate(values * 2, start=1) if fits(value, condition)]
        assert found(index, **{item.name: condition}) == fitting, condition
    assert len(found(index)) == 2 * len(values)


def test_a_band_includes_both_its_ends(index: CodeIndex) -> None:
    ages = [0, 39, 40, 60, 61, 90, None]
    filled(index, [added(seq, age_years=age) for seq, age in enumerate(ages, start=1)])
    assert found(index, age_years=(40, 60)) == [3, 4]
    assert found(index, age_years=(0, 0)) == [1]


def test_collections_that_exist_bound_what_is_found_and_counted_whatever_is_asked_for(
    index: CodeIndex,
) -> None:
    filled(index, [added(seq, collection=name) for seq, name in enumerate("abcab", start=1)])
    within = frozenset({"a", "c", "unheard of"})
    assert found(index, within=within) == [1, 3, 4]
    assert found(index, within=within, collection="a") == [1, 4]
    assert found(index, within=within, collection="b") == found(index, within=frozenset()) == []
    assert found(index, within=within, k=2) == [1, 3]
    assert index.count(Selection(within=within)) == 3


def test_a_filter_on_what_is_no_property_is_refused() -> None:
    with pytest.raises(ValueError, match="'colour'"):
        Selection(filters={"colour": frozenset({"red"})})


def test_all_filters_hold_at_once(index: CodeIndex) -> None:
    rows = [
        added(1, collection="a", modality="CT", sex="F", age_years=50),
        added(2, collection="b", modality="CT", sex="F", age_years=50),
        added(3, collection="a", modality="MR", sex="F", age_years=50),
        added(4, collection="a", modality="CT", sex="M", age_years=50),
        added(5, collection="a", modality="CT", sex="F", age_years=51),
    ]
    wanted = {"modality": frozenset({"CT"}), "sex": frozenset({"F"}), "age_years": (50, 50)}
    assert found(filled(index, rows), collection="a", **wanted) == [1]


def test_the_own_patient_study_and_series_are_left_out_and_unknown_patients_are_not(index: CodeIndex) -> None:
    rows = [
        added(1, patient_key="p", study_uid="1", series_uid="1.1"),
        added(2, patient_key="p", study_uid="2", series_uid="2.1"),
        added(3, patient_key="q", study_uid="3", series_uid="3.1"),
        added(4, patient_key=None, study_uid="1", series_uid="1.1"),
        added(5, patient_key=None, study_uid="1", series_uid="1.2"),
    ]
    filled(index, rows)
    assert found(index, not_patient="p") == [3, 4, 5]
    assert found(index, not_studies=frozenset({"1"})) == [2, 3]
    assert found(index, not_series=frozenset({"1.1"})) == [2, 3, 5]
    assert found(index, only_series=frozenset({"1.1", "1.2"})) == [1, 4, 5]
    assert found(index, only_series=frozenset({"1.1", "1.2"}), not_patient="p") == [4, 5]
    assert found(index, only_series=frozenset({"9.9"})) == found(index, only_series=frozenset()) == []
    assert found(index, not_patient="p", not_studies=frozenset({"1"})) == [3]
    assert found(index, not_patient="nobody") == [1, 2, 3, 4, 5]


def test_what_was_added_after_a_row_of_the_log_is_left_out_of_the_state_at_that_row(
    index: CodeIndex,
) -> None:
    index.apply([added(seq, distance=9 - seq) for seq in range(1, 6)])
    assert found(index, as_of=3) == [3, 2, 1]
    assert found(index, as_of=5) == found(index) == [5, 4, 3, 2, 1]
    assert found(index, as_of=3, k=2) == [3, 2]
    assert (found(index, as_of=0), index.count(Selection(as_of=4))) == ([], 4)
    index.apply([LogRow(6, "delete", 2, "default", "mark-6", None), added(7)])
    assert found(index, as_of=5) == [5, 4, 3, 1]


def test_several_studies_and_series_are_left_out(index: CodeIndex) -> None:
    index.apply([added(n, study_uid=str(n % 3), series_uid=f"{n % 3}.{n % 2}") for n in range(1, 7)])
    assert found(index, not_studies=frozenset({"1", "2", "9"})) == [3, 6]
    assert found(index, not_series=frozenset({"1.1", "0.0", "7"})) == [2, 3, 4, 5]
    assert found(index, not_series=frozenset({"1.1"}), not_studies=frozenset({"0", "2"})) == [4]
    many = frozenset(f"0.{n}" for n in range(2, 1000)) | {"0.1"}
    assert found(index, not_series=many) == [1, 2, 4, 5, 6]


def test_a_filter_holds_before_the_k_nearest_are_taken(index: CodeIndex) -> None:
    rows = [added(seq, distance=seq, sex="M" if seq <= 30 else "F") for seq in range(1, 41)]
    assert found(filled(index, rows), k=3, sex=frozenset({"F"})) == [31, 32, 33]


@pytest.fixture
def grouped(index: CodeIndex) -> CodeIndex:
    """Entries 1 to 8 at growing distance: series a a b b c a d e, studies 1 1 1 1 2 1 3 4."""
    series, studies = "aabbcade", "11112134"
    patients = ["p", "p", "p", "p", "p", "p", None, None]
    rows = [
        added(seq, distance=seq, series_uid=name, study_uid=study, patient_key=patient)
        for seq, (name, study, patient) in enumerate(zip(series, studies, patients, strict=True), start=1)
    ]
    return filled(index, rows)


def test_each_group_is_found_once_by_its_nearest_frame(grouped: CodeIndex) -> None:
    assert found(grouped, group_by="series") == [1, 3, 5, 7, 8]
    assert found(grouped, group_by="study") == [1, 5, 7, 8]
    assert found(grouped, group_by=None) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_frames_of_unknown_patients_are_grouped_by_study(grouped: CodeIndex) -> None:
    assert found(grouped, group_by="patient") == [1, 7, 8]


def test_k_counts_groups(grouped: CodeIndex) -> None:
    for k in range(7):
        assert found(grouped, k=k, group_by="series") == [1, 3, 5, 7, 8][:k]


def test_a_group_is_shown_by_its_nearest_frame_that_is_selected(grouped: CodeIndex) -> None:
    assert found(grouped, group_by="series", exclude=frozenset({1, 3, 4})) == [2, 5, 7, 8]
    assert found(grouped, group_by="study", not_series=frozenset({"a"})) == [3, 5, 7, 8]
    assert found(grouped, group_by="study", label=frozenset({"none"})) == []


def test_k_groups_are_found_behind_any_number_of_frames_of_one_group(index: CodeIndex) -> None:
    rows = [added(seq, distance=1, series_uid="crowd") for seq in range(1, 300)]
    rows += [added(seq, distance=2, series_uid=f"s{seq}") for seq in range(300, 304)]
    assert found(filled(index, rows), k=3, group_by="series") == [1, 300, 301]


def test_ties_between_groups_and_within_them_go_to_the_nearer_at_128_bits_then_to_the_lower_entry(
    index: CodeIndex,
) -> None:
    def tied(seq: int, series: str, *ones: int) -> LogRow:
        row = added(seq, series_uid=series)
        assert row.encoded is not None
        code = bits_code(*ones)
        encoded = EncodedFrame(row.encoded.info, code, code[None], row.encoded.window_ids, (0.5, 0.5), MODEL)
        return LogRow(seq, "add", seq, "default", "mark", encoded)

    index.apply([tied(1, "a", 0, 99), tied(2, "b", 1, 98), tied(3, "a", 2), tied(4, "c", 3, 97)])
    for search in (index.search_global, index.search_windows, index.search_fused):
        hits = search(asked(), 2, 64, Selection(group_by="series"))
        assert [hit.entry_id for hit in hits] == [3, 2]


def test_what_may_be_found_is_counted(grouped: CodeIndex) -> None:
    assert grouped.count(Selection()) == 8
    assert grouped.count(Selection(not_series=frozenset({"a"}))) == 5
    assert grouped.count(Selection(not_series=frozenset({"a"}), group_by="series")) == 5
    assert grouped.count(Selection("elsewhere")) == 0


@pytest.mark.slow
def test_metadata_survives_a_snapshot_deletes_and_new_values(new_index: Callable[[], CodeIndex]) -> None:
    index = new_index()
    known = {item.name: samples(item)[0] for item in TABLE.values()}
    index.apply([added(1, modality="MR"), added(2, **known), added(3, **known)])
    index.apply([LogRow(4, "delete", 1, "default", "mark-4", None)])
    index.snapshot()
    again = new_index()
    if again.stats().last_seq == 0:  # an adapter without snapshots
        again = index
    again.apply([added(5, label="y"), added(6, **known)])
    for item in TABLE.values():
        condition = next(wanted for wanted in conditions(item) if fits(known[item.name], wanted))
        assert found(again, **{item.name: condition}) == [2, 3, 6], item.name
    assert found(again, label=frozenset({"y"})) == [5]
    assert found(again, modality=frozenset({"MR"})) == []


@pytest.mark.slow
@pytest.mark.parametrize("near", ["F", "M"])
def test_many_selected_frames_are_found_whether_they_are_the_nearest_or_the_farthest(
    index: CodeIndex, near: str
) -> None:
    rows = [added(seq, distance=1 + seq // 100, sex="FM"[seq // 100 % 2]) for seq in range(1, 400)]
    selected = [seq for seq in range(1, 400) if "FM"[seq // 100 % 2] == near]
    filled(index, rows)
    for k in (1, 20, 150, 300):
        assert found(index, k=k, sex=frozenset({near})) == selected[:k]
        assert found(index, k=k, exclude=frozenset({selected[0]}), sex=frozenset({near})) == selected[1:][:k]


@pytest.mark.parametrize("crowd", [5, 390])
def test_many_groups_are_found_whether_one_group_crowds_the_nearest_or_not(
    index: CodeIndex, crowd: int
) -> None:
    rows = [added(seq, 1 + seq // 40, series_uid=f"s{seq if seq > crowd else 0}") for seq in range(1, 400)]
    first = [1, *range(crowd + 1, 400)]
    filled(index, rows)
    for k in (1, 3, 20):
        assert found(index, k=k, group_by="series") == first[:k]
