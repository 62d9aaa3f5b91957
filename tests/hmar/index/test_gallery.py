from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from hmar.index.gallery import Gallery, GrowingGallery
from hmar.index.hamming import Slots
from hmar.index.scan import Scanner
from hmar.index.windows import Windows
from hmar.values.codes import Bits, CodeArray, EncodedFrame
from hmar.values.frames import FrameInfo
from hmar.values.selection import Selection
from tests.frames import frame_info

CT = Selection(filters={"modality": frozenset({"CT"})})


class Noting(Scanner):
    """Notes which frames, and how many of them, it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.slots: list[Slots | None] = []
        self.asked: list[int] = []

    def nearest(
        self, windows: Windows, queries: CodeArray, k: int, bits: Bits, slots: Slots | None = None
    ) -> tuple[Slots, np.ndarray]:
        self.slots.append(slots)
        self.asked.append(k)
        return super().nearest(windows, queries, k, bits, slots)


def gallery(infos: Sequence[FrameInfo]) -> Gallery:
    rng = np.random.default_rng(0)
    growing = GrowingGallery.empty()
    rows = []
    for entry_id, info in enumerate(infos, start=1):
        codes = rng.integers(0, 256, (6, 16), np.uint8)
        frame = EncodedFrame(info, codes[0], codes[1:], np.arange(5, dtype=np.uint32), (0.5, 0.5), "model")
        rows.append((entry_id, "default", frame))
    growing.add(rows)
    return growing.frozen()


def query() -> CodeArray:
    return np.random.default_rng(1).integers(0, 256, (1, 16), np.uint8)


@pytest.mark.parametrize("k", [3, 50])
def test_what_fits_is_scanned_once_also_where_fewer_than_k_do(k: int) -> None:
    held, scanner = gallery([frame_info(modality=name) for name in ["CT", "MR"] * 40]), Noting()
    found = held.nearest_windows(scanner, query(), k, 128, CT)
    fitting = np.arange(0, 80, 2)
    nearest, _ = Scanner().nearest(held.windows, query(), k, 128, fitting)
    assert found.tolist() == nearest.tolist()
    assert [slots.tolist() for slots in scanner.slots if slots is not None] == [fitting.tolist()]


@pytest.mark.parametrize(
    ("series", "asked"),
    [(["a", "b", "c", "d"] * 20, [16]), (["a"] * 79 + ["b"], [16, 128]), (["a"] * 10, [16])],
    ids=["all among more than k", "one far away", "fewer groups than k"],
)
def test_of_groups_more_than_k_frames_are_asked_for_until_k_groups_are_among_them(
    series: list[str], asked: list[int]
) -> None:
    held, scanner = gallery([replace(frame_info(), series_uid=uid) for uid in series]), Noting()
    found = held.nearest_windows(scanner, query(), 2, 128, Selection(group_by="series"))
    assert scanner.asked == asked
    assert {series[slot] for slot in found.tolist()} == set(series)
