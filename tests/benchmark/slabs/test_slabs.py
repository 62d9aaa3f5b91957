"""The benchmark of slabs, on small synthetic scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmark.slabs import run
from benchmark.slabs.queries import queries_of
from benchmark.slabs.run import run_slabs
from benchmark.slabs.scoring import compared, places, right
from benchmark.slabs.volumes import ThinScan, resampled
from benchmark.types import silent
from hmar.values.entries import EntryInfo, Origin
from hmar.values.geometry import Box
from hmar.values.hits import Hit
from tests.contract.examples import info

SQUARE = Box(0, 0, 10, 10)


def scan(name: str, slices: int = 10, step_mm: float = 2.0, labelled: bool = False) -> ThinScan:
    """Draw a body with an organ that lies elsewhere on each slice."""
    values = np.full((slices, 96, 96), -1000, np.int16)
    ids = np.zeros_like(values)
    for z in range(slices):
        values[z, 10:86, 10:86] = 40 + np.arange(76, dtype=np.int16)[:, None] + 5 * z
        values[z, 20 + z : 40 + z, 20:50] = 200
        ids[z, 20 + z : 40 + z, 20:50] = 7
    shown = frozenset({"liver"}) if labelled else frozenset[str]()
    return ThinScan(
        name, values, (step_mm, 1.5, 1.5), ids * labelled, {7: "liver"} if labelled else {}, shown
    )


def hit(rank: int, along_mm: float, series: str = "s", box: Box = SQUARE) -> Hit:
    frame = info(
        f"{series}.{along_mm}", series_uid=series, study_uid=series, along_mm=along_mm, stack="0" * 16
    )
    entry = EntryInfo(rank, "a", replace(frame, instance_number=int(along_mm) + 1), "m", Origin("", ""))
    return Hit(rank, entry, rank, 0, rank, 1, 1, (0.5, 0.5), 128, box, None, "m")


def test_neighbouring_hits_are_one_place() -> None:
    hits = [hit(1, 10), hit(2, 12), hit(3, 15), hit(4, 13), hit(5, 10, "t")]
    assert [one.rank for one in places(hits)] == [1, 3, 5]


def test_an_answer_that_is_the_same_agrees_in_all() -> None:
    hits = [hit(rank, 10 * rank) for rank in range(1, 13)]
    assert compared(hits, hits) == (1, 1, 0, 1)


def test_what_is_not_found_and_how_far_off_the_rest_is() -> None:
    found = compared([hit(1, 10), hit(2, 30)], [hit(1, 33), hit(2, 50)])
    assert (found.recall, found.first, found.off_mm) == (0.5, 0, 3)
    found = compared([hit(1, 10)], [hit(1, 10, "t")])
    assert (found.recall, found.first) == (0, 0)
    assert np.isnan(found.off_mm)


def test_a_place_is_right_where_the_middle_of_its_box_shows_the_structure() -> None:
    drawn = scan("drawn", labelled=True)
    hits = [hit(1, 0, box=Box(20, 20, 20, 20)), hit(2, 6, box=Box(60, 60, 20, 20))]
    assert right(hits, "liver", {"s": drawn}) == [True, False]


def test_resampled_slices_lie_between_their_neighbours() -> None:
    thin = resampled(scan("one", slices=3), 1.0)
    assert thin.values.shape == (5, 96, 96)
    assert thin.spacing_mm == (1.0, 1.5, 1.5)
    assert thin.values[[0, 2, 4], 80, 80].tolist() == [110, 115, 120]
    assert thin.values[1, 80, 80] in (112, 113)


def test_structures_are_asked_for_by_their_boxes_and_bodies_by_places_in_them() -> None:
    drawn = [query for query in queries_of(scan("drawn", labelled=True), 0) if query.box is not None]
    assert {query.structure for query in drawn} == {"liver"}
    assert all(query.box == Box(20, 20 + query.z, 30, 20) for query in drawn)
    plain = [query for query in queries_of(scan("plain"), 0) if query.box is not None]
    assert plain
    for query in plain:
        assert query.box is not None
        x, y = query.box.centre
        assert query.scan.values[query.z, int(y), int(x)] > -300


@pytest.mark.slow
def test_slabs_are_compared_with_all_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scans(_root: Path, _folders: Sequence[Path]) -> list[ThinScan]:
        return [scan("a", 6, labelled=True), scan("b", 6, labelled=True)]

    monkeypatch.setattr(run, "load_thin", scans)
    monkeypatch.setattr(run, "fetch_region_data", lambda *_: None)
    monkeypatch.setattr(run, "fetch_open_ct", lambda *_: None)
    monkeypatch.setattr(run, "all_digest", lambda *_: "0")
    rows = run_slabs(tmp_path, [], [4.0], [0.0, 1.0], silent)
    told = {(row["slices"], row["asked"], row["slab_mm"], row["refined"]): row for row in rows}
    assert len(rows) == len(told) == 2 * 2 * 3
    for slices in ("native", "1 mm"):
        every, some = told[slices, "boxes", 0.0, False], told[slices, "boxes", 4.0, True]
        assert (every["recall"], every["off_mm"], every["windows_share"]) == (1, 0, 1)
        assert isinstance(some["windows_share"], float)
        assert some["windows_share"] < 0.6
        assert some["labelled_people"] == 2
