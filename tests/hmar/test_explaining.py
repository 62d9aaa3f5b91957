from dataclasses import replace

import numpy as np
import pytest

from hmar.explaining import MAP_SIDE, explain
from hmar.values.codes import Query
from hmar.values.groups import FrameCodes
from tests.contract.examples import bits_code, info
from tests.hmar.test_search import GATE, PlainEncoder

ENCODER = PlainEncoder()
QUERY = Query(bits_code(0, 1), np.array([bits_code(70), bits_code()], np.uint8), GATE, None, (None,))
"""Of a region: its centred window has bit 70, its neighbour none."""


def codes(entry_id, global_code, windows):
    """Window ids are those of :class:`PlainEncoder`: squares of 30 x 40 pixels, 10 pixels apart."""
    return FrameCodes(
        entry_id,
        global_code,
        np.array(list(windows.values()), np.uint8).reshape(-1, 16),
        np.array(list(windows), np.uint32),
    )


def frame(sop, rows=96, columns=96):
    return replace(info(sop), rows=rows, columns=columns)


ASKED = (frame("1.1"), codes(1, bits_code(0, 1), {0: bits_code(70), 6: bits_code(5, 6, 7)}))
FOUND = (frame("1.2", 96, 48), codes(2, bits_code(1, 100), {0: bits_code(70, 3), 1: bits_code(1, 2, 3, 4)}))


def test_the_nearest_window_of_the_hit_is_told_with_the_bits_that_differ():
    said = explain(ENCODER, QUERY, ASKED, FOUND, 128)
    assert (said.whole.distance, said.whole.differing) == (2, (0, 100))
    assert said.local is not None
    assert (said.local.distance, said.local.differing) == (1, (3,))
    assert said.box == ENCODER.window_box(FOUND[0], 0)
    assert said.nearer_than == 1.0
    assert "127 of 128 bits, more than 100 % of its image's other places" in said.local.said
    assert "agree in 126 of 128 bits" in said.whole.said
    short = explain(ENCODER, QUERY, ASKED, FOUND, 64)
    assert (short.whole.differing, short.local and short.local.differing) == ((0,), (3,))


def test_maps_hold_the_least_distance_of_the_windows_that_cover_a_part():
    said = explain(ENCODER, QUERY, ASKED, FOUND, 128)
    hit = said.found.distances
    assert hit.shape == (MAP_SIDE, MAP_SIDE // 2)
    # Two pixels are a part. Windows lie at x 0 to 30 and 10 to 40, y 20 to 60.
    assert np.unique(hit[10:30, :15]).tolist() == [1]
    assert np.unique(hit[10:30, 15:20]).tolist() == [5]
    assert np.isnan(hit[:10]).all()
    assert np.isnan(hit[:, 20:]).all()
    # The query's own places, from the window found: bits 70 and 3.
    asked = said.query.distances
    assert (asked[15, 5], asked[15, 35]) == (1, 5)
    told = said.to_dict()
    assert told["hit_map"]["distances"][0][0] is None
    assert told["hit_map"]["rows"] == MAP_SIDE


def test_of_a_whole_image_any_of_its_windows_counts():
    whole = Query(QUERY.global_code, np.array([bits_code(9), bits_code(1, 2, 3, 4)], np.uint8), GATE)
    said = explain(ENCODER, whole, ASKED, FOUND, 128)
    assert said.local is not None
    assert (said.local.distance, said.box) == (0, ENCODER.window_box(FOUND[0], 1))


def test_a_frame_without_windows_is_compared_as_a_whole():
    empty = (FOUND[0], codes(2, bits_code(1, 100), {}))
    said = explain(ENCODER, QUERY, ASKED, empty, 128)
    assert (said.local, said.box) == (None, None)
    assert np.isnan(said.found.distances).all()
    assert np.isnan(said.query.distances).all()
    assert said.to_dict()["nearer_than"] is None
    alone = (FOUND[0], codes(2, bits_code(1), {0: bits_code(70)}))
    assert explain(ENCODER, QUERY, ASKED, alone, 128).to_dict()["nearer_than"] is None


def test_equal_frames_agree_in_all_bits():
    said = explain(ENCODER, QUERY, ASKED, ASKED, 128)
    assert said.local is not None
    assert (said.whole.distance, said.local.distance) == (0, 0)
    assert said.to_dict()["local"]["score"] == pytest.approx(1)
