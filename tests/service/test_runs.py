"""Runs of frames: no more than their bytes, and none that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from hmar.errors import DecodeError
from hmar.values.frames import FrameInfo
from hmar.values.stored import Meaning, StoredFrame, StoredUnits
from service.runs import MAX_BYTES, run_of
from tests.contract.examples import info

SIDE = 2048
FRAMES = 10


@dataclass
class Loop:
    """A file of large frames, of which one is broken."""

    broken: int = 0

    @property
    def infos(self) -> list[FrameInfo]:
        return [info(1)] * FRAMES

    def stored(self, frame_number: int) -> StoredFrame:
        if frame_number == self.broken:
            raise DecodeError("The frame is broken.", "Send the file again.")
        return StoredFrame(info(1), np.zeros((SIDE, SIDE), np.uint16), Meaning(StoredUnits.MODALITY))


@pytest.mark.parametrize(("broken", "given"), [(0, 4), (3, 2), (2, 1)])
def test_a_run_ends_where_its_bytes_do_or_before_what_cannot_be_read(broken: int, given: int) -> None:
    assert 4 * 2 * SIDE * SIDE == MAX_BYTES
    assert len(run_of(Loop(broken), 1, 64)) == given


def test_the_frame_that_was_asked_for_says_why_it_cannot_be_read() -> None:
    with pytest.raises(DecodeError):
        run_of(Loop(broken=2), 2, 64)
