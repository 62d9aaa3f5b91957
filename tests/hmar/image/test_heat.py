import numpy as np

from hmar.image.heat import STRONGEST, overlay


def test_near_places_are_coloured_and_those_without_anything_in_common_stay_grey():
    grey = np.full((20, 40), 100, np.uint8)
    distances = np.array([[0.0, 64.0], [np.nan, 120.0]])
    drawn = overlay(grey, distances, 128)
    assert drawn.shape == (20, 40, 3)
    assert drawn.dtype == np.uint8
    assert drawn[0, 0].tolist() == [
        round((1 - STRONGEST) * 100 + STRONGEST * channel) for channel in (255, 176, 0)
    ]
    assert drawn[0, -1].tolist() == drawn[-1, 0].tolist() == drawn[-1, -1].tolist() == [100, 100, 100]
