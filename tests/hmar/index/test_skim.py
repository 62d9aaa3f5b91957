"""Which windows a skim compares, and what it estimates from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmar.index.gallery import GrowingGallery
from hmar.index.projection import Projection, gallery_of, snapshot_of
from hmar.index.scan import Scanner
from hmar.index.skim import LEAST_WINDOWS, skimmed
from hmar.index.snapshot import SnapshotStore
from hmar.values.codes import EncodedFrame
from hmar.values.window_ids import coarse, pack_window_id
from tests.contract.examples import MODEL, info

ROWS, COLUMNS = 20, 30
IDS = pack_window_id(0, np.arange(ROWS)[:, None], np.arange(COLUMNS)).ravel()


def test_windows_at_even_rows_and_columns_are_coarse() -> None:
    assert coarse(IDS).sum() == ROWS * COLUMNS / 4
    assert coarse(pack_window_id(2, np.array([0, 1, 2, 2]), np.array([4, 4, 4, 5]))).tolist() == [
        True, False, True, False,
    ]  # fmt: skip


@given(st.lists(st.sets(st.integers(0, 2**28), min_size=1, max_size=400), min_size=1, max_size=5))
def test_the_coarse_windows_are_compared_and_others_where_they_are_few(frames: list[set[int]]) -> None:
    ids = [np.array(sorted(frame), np.uint32) for frame in frames]
    counts = np.array([len(frame) for frame in frames])
    chosen = np.split(skimmed(np.concatenate(ids), counts), np.cumsum(counts)[:-1])
    for of_frame, each in zip(chosen, ids, strict=True):
        is_coarse = coarse(each)
        assert of_frame[is_coarse].all()
        assert of_frame.sum() == max(is_coarse.sum(), min(LEAST_WINDOWS, len(each)))
        others = np.flatnonzero(~is_coarse)
        assert of_frame[others].tolist() == sorted(of_frame[others].tolist(), reverse=True), "the first ones"


@pytest.fixture(scope="module")
def frames() -> list[EncodedFrame]:
    """Return two series of slices whose codes change bit by bit; the third frame has no windows."""
    rng = np.random.default_rng(0)
    made = []
    for series in range(2):
        codes = rng.integers(0, 256, (ROWS * COLUMNS, 16), np.uint8)
        for number in range(9):
            codes = codes ^ np.packbits(rng.random((len(codes), 128)) < 0.01, axis=1)
            windows = 0 if (series, number) == (0, 2) else len(codes)
            told = info(f"{series}.{number}", series_uid=str(series), along_mm=float(number))
            made.append(EncodedFrame(told, codes[0], codes[:windows], IDS[:windows], (0.5, 0.5), MODEL))
    return made


def test_a_gallery_on_a_snapshot_estimates_what_it_skims_and_measures_what_came_later(
    frames: list[EncodedFrame], tmp_path_factory: pytest.TempPathFactory
) -> None:
    growing = GrowingGallery.empty()
    growing.add([(at, "default", frame) for at, frame in enumerate(frames, start=1)])
    store = SnapshotStore(tmp_path_factory.mktemp("skim"), MODEL)
    store.write(snapshot_of(Projection(growing.frozen(), 99, "mark", 0)))
    generation = store.load()
    assert generation is not None
    later = gallery_of(generation)
    later.add([(100 + at, "default", frame) for at, frame in enumerate(frames)])
    gallery, scanner = later.frozen(), Scanner()
    assert len(gallery.skim) == len(frames)
    guides = gallery.skim.guides
    assert gallery.skim.windows.windows == len(guides.slots) * coarse(IDS).sum()

    query, slots = frames[4].window_codes[coarse(IDS)][40:49], np.arange(len(gallery.frames))
    exact = gallery.local_distances(scanner, slots, query, 128)
    estimated = gallery.estimated_distances(scanner, slots, query, 128)
    assert np.isnan(estimated).tolist() == np.isnan(exact).tolist() == np.isin(slots, (2, 20)).tolist()
    np.testing.assert_array_equal(estimated[len(frames) :], exact[len(frames) :])
    ours = np.array([at for at in range(9) if at != 2])
    assert (estimated[guides.slots] >= exact[guides.slots] - 1e-5).all(), "some are not nearer than all"
    assert np.abs(estimated[ours] - exact[ours]).max() < 12 < np.abs(exact[9:18] - exact[4]).min()
    some = np.array([1, 5, 19])
    np.testing.assert_array_equal(gallery.estimated_distances(scanner, some, query, 128), estimated[some])
