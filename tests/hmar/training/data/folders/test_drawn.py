import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.training.data.folders.drawn import Drawn, ellipse, label_planes
from hmar.training.data.structures import UNLABELLED
from hmar.training.data.vocabulary import Vocabulary, structure_name

SHAPE = (20, 30)


def square(structure: str, top: int, left: int, side: int) -> Drawn:
    mask = np.zeros(SHAPE, bool)
    mask[top : top + side, left : left + side] = True
    drawn = Drawn.of(structure, mask)
    assert drawn is not None
    return drawn


@pytest.mark.parametrize("text", ["Left Kidney", "kidney_left", "KIDNEY_L", "Kidney, left", "Lt kidney"])
def test_a_structure_has_one_name_whoever_spells_it(text):
    assert structure_name(text) == "kidney_left"


@pytest.mark.parametrize(
    ("text", "name"),
    [("Liver ", "liver"), ("L", "l"), ("GTV-1", "gtv_1"), ("Lung_R", "lung_right"), ("--", "")],
)
def test_names_of_other_structures_stay_apart(text, name):
    assert structure_name(text) == name


def test_the_smaller_of_two_structures_is_seen_and_the_rest_is_unknown():
    structures = Vocabulary(["liver"])
    drawn = [[square("tumour", 5, 5, 3), square("liver", 2, 2, 10)], []]
    labels = label_planes(drawn, SHAPE, structures)
    assert structures.names == ["liver", "tumour"]
    expected = np.full((2, *SHAPE), UNLABELLED)
    expected[0, 2:12, 2:12] = 0
    expected[0, 5:8, 5:8] = 1
    assert np.array_equal(labels, expected)


def test_smaller_means_in_the_whole_series():
    drawn = [[square("lung", 0, 0, 4), square("tumour", 0, 0, 6)], [square("lung", 0, 0, 19)]]
    structures = Vocabulary()
    labels = label_planes(drawn, SHAPE, structures)
    assert structures.names[labels[0, 0, 0]] == "tumour"


def test_slices_on_which_nothing_is_drawn_have_no_labels():
    assert label_planes([[], []], SHAPE, Vocabulary()) is None
    assert Drawn.of("liver", np.zeros(SHAPE, bool)) is None


@pytest.mark.parametrize("box", [(3.0, 4.0, 9.0, 6.0), (-4.0, 10.5, 12.5, 30.0), (28.0, 1.0, 2.0, 3.0)])
def test_a_box_is_the_ellipse_in_it(box):
    x, y, width, height = box
    expected = np.full(SHAPE, UNLABELLED)
    for row in range(SHAPE[0]):
        for column in range(SHAPE[1]):
            across, down = column + 0.5 - (x + width / 2), row + 0.5 - (y + height / 2)
            if (2 * across / width) ** 2 + (2 * down / height) ** 2 <= 1:
                expected[row, column] = 0
    drawn = ellipse("nodule", box, SHAPE)
    assert drawn is not None
    labels = label_planes([[drawn]], SHAPE, Vocabulary())
    assert np.array_equal(labels[0], expected)


def test_a_box_beside_the_slice_draws_nothing():
    assert ellipse("nodule", (100.0, 4.0, 5.0, 5.0), SHAPE) is None
