import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.lesions.slices import shows_lesion
from benchmark.region.queries import box_round
from hmar.values.geometry import Box

SIDE = 24


def by_pixels(lesion, box):
    """Look at every pixel's centre."""
    inside = [
        bool(lesion[y, x])
        for y in range(SIDE)
        for x in range(SIDE)
        if box.x <= x + 0.5 < box.x + box.width and box.y <= y + 0.5 < box.y + box.height
    ]
    centre = lesion[int(box.y + box.height / 2), int(box.x + box.width / 2)]
    return bool(centre) and sum(inside) >= 0.5 * min(len(inside), int(lesion.sum()))


places = st.floats(0, 16, allow_nan=False)


@settings(max_examples=150, deadline=None)
@given(
    places,
    places,
    st.floats(1, 8),
    st.floats(1, 8),
    st.tuples(st.integers(0, 20), st.integers(0, 20)),
    st.floats(1, 9),
)
def test_a_window_shows_a_lesion_where_its_centre_is_in_it_and_half_of_the_smaller_is_shared(
    x, y, w, h, at, radius
):
    down, across = np.mgrid[0:SIDE, 0:SIDE]
    lesion = (across - at[0]) ** 2 + (down - at[1]) ** 2 < radius**2
    box = Box(x, y, w, h)
    assert shows_lesion(lesion, box) == by_pixels(lesion, box)


def test_a_window_much_larger_than_a_lesion_shows_it_and_a_far_one_does_not():
    lesion = np.zeros((SIDE, SIDE), bool)
    lesion[11:14, 11:14] = True
    assert shows_lesion(lesion, Box(2, 2, 21, 21))
    assert not shows_lesion(lesion, Box(0, 0, 10, 10))
    assert not shows_lesion(lesion, Box(5, 5, 10, 10))  # it holds most of the lesion, but not in its middle
    assert not shows_lesion(lesion, Box(20, 20, 8, 8))


def test_the_box_of_a_lesion_holds_all_its_pixels():
    lesion = np.zeros((SIDE, SIDE), bool)
    lesion[3, 4] = lesion[9, 20] = True
    assert box_round(lesion) == Box(4, 3, 17, 7)


@pytest.mark.slow
def test_windows_and_queries_are_those_of_the_product(tmp_path):
    import torch

    from benchmark.lesions.data import read_lesions
    from benchmark.lesions.slices import archive_slices, describe_query, describe_windows
    from benchmark.region.features import hmar_feature
    from hmar.encoder import HmarEncoder, shipped_bundle
    from hmar.model.weights import load_bundle
    from tests.benchmark.lesions.folders import write_people

    torch.set_num_threads(1)
    bundle, encoder = load_bundle(shipped_bundle()), HmarEncoder.load(shipped_bundle())
    read = read_lesions([write_people(tmp_path, ("a",), slices=2)], lambda *_: None)
    (_, one) = archive_slices(read, bundle.network, bundle.info.windows, lambda *_: None)
    feature = hmar_feature(bundle.network)
    encoded = encoder.encode(one.source.frame)
    assert one.ids.tolist() == encoded.window_ids.tolist()
    codes = np.packbits(describe_windows(feature, one, bundle.info.windows) > 0, axis=1)
    assert np.bitwise_count(codes ^ encoded.window_codes).sum(axis=1).max() <= 1  # a logit next to 0
    query = encoder.region_query(one.source.frame, box_round(one.source.lesion))
    own = np.packbits(describe_query(feature, one.plane, one.query) > 0, axis=1)
    assert np.bitwise_count(own ^ query.window_codes).sum(axis=1).max() <= 1
    boxes = [encoder.window_box(one.source.frame.info, int(window)) for window in one.ids]
    assert one.right.tolist() == [shows_lesion(one.source.lesion, box) for box in boxes]
    assert 0 < one.right.sum() < len(boxes)
