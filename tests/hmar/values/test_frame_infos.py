"""The infos of a file's frames are a sequence whose items are made when they are asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hmar.values.frames import FrameInfo, FrameInfos
from tests.frames import frame_info

FIRST = frame_info()


def test_frames_that_are_alike_differ_in_their_number_alone() -> None:
    infos = FrameInfos(FIRST, 2_000_000_000)
    assert infos.alike
    assert len(infos) == 2_000_000_000
    assert infos[0] is FIRST
    assert (infos[1_999_999_999].frame_number, infos[-1].frame_number) == (2_000_000_000, 2_000_000_000)
    assert [info.frame_number for info in infos[3:6]] == [4, 5, 6]
    assert infos[-1].sop_instance_uid == FIRST.sop_instance_uid


def test_others_are_made_one_at_a_time() -> None:
    made: list[int] = []

    def make(number: int) -> FrameInfo:
        made.append(number)
        return replace(FIRST, frame_number=number, position=(0, 0, number))

    infos = FrameInfos(FIRST, 5, make)
    assert not infos.alike
    assert made == []
    assert infos[3].position == (0, 0, 4)
    assert made == [4]
    assert [info.frame_number for info in infos] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("index", [3, -4])
def test_beyond_the_last_there_is_none(index: int) -> None:
    with pytest.raises(IndexError):
        FrameInfos(FIRST, 3)[index]
