from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra 'train' is not installed")

from hmar.training.carrying.plausible import keep_plausible, plausible_hu
from hmar.training.data.structures import NO_STRUCTURE, UNLABELLED
from tests.hmar.training.carrying.bodies import (
    KIDNEY,
    LESION,
    LIVER,
    LUNG_LEFT,
    RIB,
    SPACING,
    STERNUM,
    STRUCTURES,
    atlas,
    volume,
)


def test_soft_tissue_may_have_any_contrast_and_lung_and_bone_have_their_own_hu():
    ranges = plausible_hu(atlas(), STRUCTURES)
    low, high = ranges[LIVER]
    assert low == 10
    assert high == 450
    low, high = ranges[LUNG_LEFT]
    assert -810 < low < -800
    assert -760 < high < -750
    low, high = ranges[STERNUM]
    assert 290 < low < 300
    assert 340 < high < 350


def test_what_cannot_be_carried_by_its_name_is_not():
    ranges = plausible_hu(atlas(), STRUCTURES)
    assert RIB not in ranges
    assert LESION not in ranges
    body = atlas()
    assert RIB in body.labels
    assert not (keep_plausible(body.labels, body, ranges) == RIB).any()


def test_labels_are_kept_where_hu_fit_and_the_border_is_3_mm_away():
    labels = np.full((3, 40, 40), NO_STRUCTURE, np.int16)
    labels[:, 10:30, 10:30] = KIDNEY
    values = np.full(labels.shape, 100, np.int16)
    values[1, 20, 20] = -60
    target = replace(volume(values), spacing_mm=(9.0, 1.5, 1.5))
    kept = keep_plausible(labels, target, {KIDNEY: (10.0, 450.0)})
    wanted = np.zeros(labels.shape, bool)
    wanted[:, 12:28, 12:28] = True
    wanted[1, 20, 20] = False
    np.testing.assert_array_equal(kept == KIDNEY, wanted)


def test_no_structure_is_kept_9_mm_away_from_any_other_label():
    labels = np.full((9, 30, 30), NO_STRUCTURE, np.int16)
    labels[4, 15, 15] = RIB
    kept = keep_plausible(labels, volume(np.zeros(labels.shape, np.int16)), {})
    near = tuple(round(9 / spacing) for spacing in SPACING)
    for (z, y, x), label in np.ndenumerate(kept):
        away = (abs(z - 4), abs(y - 15), abs(x - 15))
        across = [
            away[axis] in (0, near[axis]) and all(away[other] == 0 for other in range(3) if other != axis)
            for axis in range(3)
        ]
        assert label == (UNLABELLED if any(across) else NO_STRUCTURE)
