from __future__ import annotations

import pytest

from hmar.errors import ParameterError
from hmar.values.indexed import IndexedFrame
from hmar.values.judged import MAX_JUDGED, NOTHING_JUDGED, Judged, Refinement
from tests.hmar.values.test_results import HIT

FRAME = IndexedFrame("1.2")


def test_hits_entries_and_names_are_judged_alike() -> None:
    info = HIT.entry.info
    named = IndexedFrame(info.sop_instance_uid, info.frame_number)
    assert Judged.of([HIT], [FRAME]) == Judged.of([HIT.entry], [FRAME]) == Judged((named,), (FRAME,))


def test_there_are_counts_where_anything_was_judged() -> None:
    assert not NOTHING_JUDGED
    assert NOTHING_JUDGED.counts is None
    assert Judged(not_relevant=(FRAME,)).counts == Refinement(0, 1)


@pytest.mark.parametrize(
    ("relevant", "not_relevant", "said"),
    [
        ([FRAME], [FRAME], "Frame 1 of instance '1.2' is judged twice"),
        ([FRAME, FRAME], [], "judged twice"),
        ([], [IndexedFrame("1.2", n) for n in range(MAX_JUDGED + 1)], "not_relevant has 101 frames"),
    ],
)
def test_two_verdicts_and_too_many_are_refused(
    relevant: list[IndexedFrame], not_relevant: list[IndexedFrame], said: str
) -> None:
    with pytest.raises(ParameterError, match=said):
        Judged.of(relevant, not_relevant)
