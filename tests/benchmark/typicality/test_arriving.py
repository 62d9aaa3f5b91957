import numpy as np
import pytest

from benchmark.typicality.arriving import as_picture, as_slice, within
from hmar.values.frames import Frame, Units
from hmar.values.geometry import Box, Spacing
from tests.frames import frame_info

FINE = Spacing(0.8, 0.8)


def ct(spacing: Spacing | None = FINE, shape: tuple[int, int] = (400, 500)) -> Frame:
    return Frame(frame_info(*shape, spacing, "CT"), np.full(shape, 40, np.float32), Units.HU)


def ramp(rows: int, columns: int) -> np.ndarray:
    return np.linspace(0, 255, rows * columns).astype(np.uint8).reshape(rows, columns)


def test_a_picture_knows_no_spacing_and_holds_what_was_shown():
    picture = as_picture(ramp(20, 30))
    assert (picture.units, picture.spacing, picture.info.modality) == (Units.PRESENTATION, None, "OT")
    assert picture.values == pytest.approx(ramp(20, 30) / 255, abs=1e-6)
    assert as_picture(ct()).values == pytest.approx(0.5, abs=0.01)  # 40 HU under the window 40/400


def test_a_slice_is_in_the_units_of_the_one_it_is_like_and_360_mm_wide():
    made = as_slice(ramp(20, 40), ct())
    assert made.units is Units.HU
    assert (made.values.min(), made.values.max()) == (-1000, 1000)
    assert made.spacing == Spacing(9, 9)
    shown = Frame(frame_info(8, 8, None, "MR"), np.zeros((8, 8), np.float32), Units.PRESENTATION)
    assert as_slice(ramp(20, 40), shown).values == pytest.approx(ramp(20, 40) / 255)


@pytest.mark.parametrize(
    ("frame", "patch"),
    [
        (ct(), Box(190, 140, 120, 120)),
        (ct(Spacing(1.6, 0.8)), Box(190, 170, 120, 60)),
        (ct(shape=(100, 100)), Box(25, 25, 50, 50)),
        (ct(None), Box(200, 150, 100, 100)),
    ],
)
def test_a_patch_lies_in_the_middle_and_all_else_stays(frame, patch):
    made, box = within(np.full((10, 10), 255, np.uint8), frame)
    assert box == patch
    inside = np.zeros(frame.values.shape, bool)
    inside[box.y : box.y + box.height, box.x : box.x + box.width] = True
    assert (made.values[inside] == 1000).all()
    assert (made.values[~inside] == 40).all()
    assert (frame.values == 40).all()
