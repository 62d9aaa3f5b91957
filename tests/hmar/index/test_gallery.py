from __future__ import annotations

import numpy as np
import pytest

from hmar.index.gallery import Gallery, GrowingGallery
from hmar.index.hamming import Slots
from hmar.index.scan import Scanner
from hmar.index.windows import Windows
from hmar.types import Bits, CodeArray, EncodedFrame, Selection
from tests.frames import frame_info

FRAMES = 80
CT = Selection(modalities=frozenset({"CT"}))


class Noting(Scanner):
    """Notes which frames it is asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Slots | None] = []

    def nearest(
        self, windows: Windows, queries: CodeArray, k: int, bits: Bits, slots: Slots | None = None
    ) -> tuple[Slots, np.ndarray]:
        self.asked.append(slots)
        return super().nearest(windows, queries, k, bits, slots)


def gallery(modalities: list[str]) -> Gallery:
    rng = np.random.default_rng(0)
    growing = GrowingGallery.empty()
    rows = []
    for entry_id, modality in enumerate(modalities, start=1):
        codes = rng.integers(0, 256, (6, 16), np.uint8)
        info = frame_info(modality=modality)
        frame = EncodedFrame(info, codes[0], codes[1:], np.arange(5, dtype=np.uint32), (0.5, 0.5), "model")
        rows.append((entry_id, "default", frame))
    growing.add(rows)
    return growing.frozen()


@pytest.mark.parametrize(
    ("modalities", "everything_first"),
    [
        (["CT"] * (FRAMES // 2) + ["MR"] * (FRAMES // 2), False),
        (["CT", "MR"] * (FRAMES // 2), True),
        ((["CT"] + ["MR"] * 9) * (FRAMES // 10), False),
    ],
    ids=["much in one piece", "much in many pieces", "little in many pieces"],
)
def test_what_fits_is_scanned_alone_unless_it_is_much_in_many_pieces(
    modalities: list[str], everything_first: bool
) -> None:
    held, scanner = gallery(modalities), Noting()
    query = np.random.default_rng(1).integers(0, 256, (1, 16), np.uint8)
    found = held.nearest_windows(scanner, query, 3, 128, CT)
    assert (scanner.asked[0] is None) == everything_first
    fitting = np.array([slot for slot, modality in enumerate(modalities) if modality == "CT"])
    nearest, _ = Scanner().nearest(held.windows, query, 3, 128, fitting)
    assert set(nearest.tolist()) <= set(found.tolist()) <= set(fitting.tolist())
