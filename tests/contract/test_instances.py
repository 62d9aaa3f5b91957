"""One instance is of one study, one series and one patient, whoever adds to it and when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from hmar.errors import ConflictError
from hmar.ports import Catalogue
from hmar.values.codes import EncodedFrame
from hmar.values.digests import Digests
from hmar.values.entries import Appended
from tests.contract.examples import MODEL, ORIGIN, OTHER_MODEL, encoded


def digests(file: str | None = "a", pixels: str = "0") -> Digests:
    return Digests(pixels * 64, "1" * 64, file and file * 64, file and 3)


def of_file(file: str | None, frame_number: int = 1, model: str = MODEL, **changes: Any) -> EncodedFrame:
    return replace(encoded(frame_number=frame_number, model=model, **changes), digests=digests(file))


def kinds(catalogue: Catalogue) -> list[tuple[str, int]]:
    return [(row.kind, row.entry_id) for row in catalogue.tail(0, 100)]


@pytest.mark.parametrize("known", [None, digests(), digests(file=None)])
def test_digests_come_back_unchanged(catalogue: Catalogue, known: Digests | None) -> None:
    catalogue.append("default", [replace(encoded(), digests=known)], ORIGIN)
    [row] = catalogue.tail(0, 1)
    assert row.encoded is not None
    assert row.encoded.digests == known
    assert catalogue.entries([1])[1].digests == known


def test_an_instance_is_listed_with_the_frames_of_all_models(catalogue: Catalogue) -> None:
    catalogue.append("default", [of_file("a", 2), of_file("a", 1), encoded("7.7")], ORIGIN)
    catalogue.append("default", [of_file("a", 1, OTHER_MODEL)], ORIGIN)
    catalogue.append("other", [of_file("a", 3)], ORIGIN)
    listed = catalogue.instance("default", "1.2.3")
    assert [(entry.info.frame_number, entry.entry_id) for entry in listed] == [(1, 2), (1, 4), (2, 1)]
    assert catalogue.instance("default", "9.9") == catalogue.instance("none", "1.2.3") == []


@pytest.mark.parametrize("owner", ["study_uid", "series_uid", "patient_key"])
@pytest.mark.parametrize("model", [MODEL, OTHER_MODEL])
@pytest.mark.parametrize("frame_number", [1, 2])
def test_an_instance_has_one_study_one_series_and_one_patient(
    catalogue: Catalogue, owner: str, model: str, frame_number: int
) -> None:
    catalogue.append("default", [encoded()], ORIGIN)
    with pytest.raises(ConflictError, match="is of another study, series or patient"):
        catalogue.append(
            "default", [encoded("8.8"), encoded("1.2.3", frame_number, model=model, **{owner: "5"})], ORIGIN
        )
    assert kinds(catalogue) == [("add", 1)]
    assert catalogue.append("other", [encoded(**{owner: "5"})], ORIGIN) == Appended(1, 0)


def test_frames_added_together_are_of_one_patient_too(catalogue: Catalogue) -> None:
    with pytest.raises(ConflictError):
        catalogue.append("default", [encoded(), encoded(frame_number=2, patient_key=None)], ORIGIN)
    assert catalogue.last_seq() == 0


@pytest.mark.parametrize("file", ["b", None])
def test_frames_of_another_file_that_came_since_are_a_conflict(
    catalogue: Catalogue, file: str | None
) -> None:
    before = catalogue.last_seq()
    catalogue.append("default", [of_file("a")], ORIGIN)
    with pytest.raises(ConflictError, match="was indexed meanwhile"):
        catalogue.append("default", [of_file(file, 2)], ORIGIN, as_of=before)
    assert kinds(catalogue) == [("add", 1)]
    assert catalogue.append("default", [of_file(file, 2)], ORIGIN, as_of=1) == Appended(1, 0)


def test_frames_of_the_same_file_that_came_since_are_none(catalogue: Catalogue) -> None:
    catalogue.append("default", [of_file("a")], ORIGIN)
    assert catalogue.append("default", [of_file("a"), of_file("a", 2)], ORIGIN, as_of=0) == Appended(1, 1)


def test_frames_without_digests_that_came_since_are_a_conflict(catalogue: Catalogue) -> None:
    catalogue.append("default", [encoded()], ORIGIN)
    with pytest.raises(ConflictError):
        catalogue.append("default", [encoded(frame_number=2)], ORIGIN, as_of=0)


def test_replaced_entries_go_in_the_same_transaction_and_are_logged(catalogue: Catalogue) -> None:
    catalogue.append("default", [of_file("a"), of_file("a", 2), encoded("7.7")], ORIGIN)
    catalogue.append("other", [of_file("a")], ORIGIN)
    new = [of_file("b", 1, study_uid="5", patient_key="6")]
    # Of what is asked for, one is of another collection and one was never there.
    added = catalogue.append("default", new, ORIGIN, as_of=4, replaced=[1, 2, 4, 99])
    assert added == Appended(1, 0)
    assert kinds(catalogue) == [
        *(("add", number) for number in range(1, 5)),
        ("delete", 1),
        ("delete", 2),
        ("add", 7),
    ]
    assert [entry.info.study_uid for entry in catalogue.instance("default", "1.2.3")] == ["5"]
    assert [entry.entry_id for entry in catalogue.instance("other", "1.2.3")] == [4]
    assert [entry.entry_id for entry in catalogue.instance("default", "7.7")] == [3]


def test_what_came_since_is_not_replaced_unseen(catalogue: Catalogue) -> None:
    catalogue.append("default", [of_file("a")], ORIGIN)
    catalogue.append("default", [of_file("c", 2)], ORIGIN)
    with pytest.raises(ConflictError):
        catalogue.append("default", [of_file("b")], ORIGIN, as_of=1, replaced=[1])
    assert kinds(catalogue) == [("add", 1), ("add", 2)]


@pytest.mark.slow
def test_of_many_files_with_one_uid_that_are_added_at_once_one_is_kept(catalogue: Catalogue) -> None:
    names = "abcdefgh"

    def add(file: str) -> bool:
        try:
            catalogue.append("default", [of_file(file, n) for n in (1, 2)], ORIGIN, as_of=0)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(len(names)) as pool:
        kept = [file for file, added in zip(names, pool.map(add, names), strict=True) if added]
    assert len(kept) == 1
    files = {entry.digests.file_sha256 for entry in catalogue.instance("default", "1.2.3") if entry.digests}
    assert files == {kept[0] * 64}
