"""Montages: where panels stand, what is drawn over them, and words that do not fit."""

from __future__ import annotations

import numpy as np
import pytest

from hmar.image.montage import CYAN, GREEN, RED, YELLOW, Panel, montage
from hmar.values.geometry import Box

SIDE, GAP, CAPTION = 100, 8, 46
GREY = np.full((50, 50), 90, np.uint8)


def pixels(panels, columns=4, title=""):
    return np.asarray(montage(panels, columns, SIDE, title))


def found(image, colour):
    """Return (left, top, right, bottom) of the pixels of a colour, the last two included."""
    rows, columns = np.nonzero((image == colour).all(axis=2))
    return columns.min(), rows.min(), columns.max(), rows.max()


def panel(colour, box=None, relevant=None, source=GREY):
    return Panel(source, "", "", colour, box, relevant)


def test_panels_fill_rows_from_the_left_and_from_the_top():
    image = pixels([panel(YELLOW), panel(CYAN), panel(GREEN)], columns=2)
    step = SIDE + GAP
    assert image.shape == (GAP + 2 * (step + CAPTION), GAP + 2 * step, 3)
    assert found(image, YELLOW) == (GAP, GAP, GAP + SIDE - 1, GAP + SIDE - 1)
    assert found(image, CYAN)[:2] == (GAP + step, GAP)
    assert found(image, GREEN)[:2] == (GAP, GAP + step + CAPTION)


def test_fewer_panels_than_columns_leave_no_empty_room():
    assert pixels([panel(YELLOW)]).shape[1] == SIDE + 2 * GAP


def test_a_title_stands_above_all_panels():
    plain, titled = pixels([panel(YELLOW)]), pixels([panel(YELLOW)], title="A title")
    room = titled.shape[0] - plain.shape[0]
    assert found(titled, YELLOW)[1] == GAP + room
    assert titled[:room].max() > 200
    assert np.array_equal(titled[GAP + room :], plain[GAP:])


@pytest.mark.parametrize("shape", [(40, 80), (80, 40)])
def test_a_picture_keeps_its_aspect_ratio_and_stands_in_the_middle(shape):
    image = pixels([panel(YELLOW, source=np.full(shape, 90, np.uint8))])
    left, top, right, bottom = found(image, (90, 90, 90))
    inner = (right - left, bottom - top)
    # The edge covers two pixels at each end of the longer side.
    assert inner == ((SIDE - 5, SIDE // 2 - 1) if shape[1] > shape[0] else (SIDE // 2 - 1, SIDE - 5))
    assert left - GAP == pytest.approx(GAP + SIDE - 1 - right, abs=1)
    assert top - GAP == pytest.approx(GAP + SIDE - 1 - bottom, abs=1)


def inside(image):
    """Return the pixels of the first panel without its edge."""
    return image[GAP + 2 : GAP + SIDE - 2, GAP + 2 : GAP + SIDE - 2]


def test_a_box_covers_the_pixels_that_it_names():
    # 50 pixels become 100: a box from 10 to 30 across and from 20 to 25 down.
    image = inside(pixels([panel(CYAN, Box(10, 20, 20, 5))]))
    assert found(image, CYAN) == (20 - 2, 40 - 2, 60 - 3, 50 - 3)


def test_a_box_of_less_than_a_pixel_still_shows():
    image = inside(pixels([panel(CYAN, Box(20, 20, 0.01, 0.01))]))
    assert (image == CYAN).all(axis=2).any()


@pytest.mark.parametrize(("relevant", "colour"), [(True, GREEN), (False, RED), (None, None)])
def test_what_is_relevant_has_a_tick_and_what_is_not_a_cross(relevant, colour):
    image = inside(pixels([panel(YELLOW, relevant=relevant)]))
    for each in (GREEN, RED):
        assert (image == each).all(axis=2).any() == (each == colour)


def test_a_file_that_is_gone_is_said_to_be():
    image = inside(pixels([panel(CYAN, Box(1, 1, 5, 5), source=None)]))
    assert image.max() > 200
    assert not (image == CYAN).all(axis=2).any()


def test_words_are_cut_to_the_width_of_their_panel():
    words = "a caption that is much longer than its panel is wide"
    image = pixels([Panel(GREY, words, words, YELLOW), panel(CYAN)])
    caption = image[GAP + SIDE :]
    assert (caption[:, :GAP] == caption[0, 0]).all()
    assert (caption[:, GAP : GAP + SIDE] != caption[0, 0]).any()
    assert (caption[:, GAP + SIDE :] == caption[0, 0]).all()


def test_letters_that_the_font_lacks_and_line_breaks_are_drawn():
    strange, plain = (pixels([Panel(GREY, words, words, YELLOW)]) for words in ("肝\nx", "? x"))
    assert np.array_equal(strange, plain)
