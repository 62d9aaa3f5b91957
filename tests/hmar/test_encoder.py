from dataclasses import replace

import numpy as np
import pytest

from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.errors import RegionError
from hmar.image.windows import WindowConfig
from hmar.model.bundle import GOLDEN
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.codes import hamming
from hmar.values.frames import Frame, Units
from hmar.values.geometry import Box, Spacing
from hmar.values.window_ids import unpack_window_id
from tests.frames import frame_info, textured_frame


@pytest.fixture(scope="module")
def encoder() -> HmarEncoder:
    return HmarEncoder.load(shipped_bundle())


def test_the_shipped_model_gives_its_golden_codes(encoder):
    with np.load(shipped_bundle() / GOLDEN, allow_pickle=False) as golden:
        info = frame_info(256, 256, Spacing(1.4, 1.4), "CT", "CHEST")
        encoded = encoder.encode(Frame(info, golden["values"].astype(np.float32), Units.HU))
        assert np.array_equal(encoded.window_ids, golden["window_ids"])
        # Another processor may sum in another order: a logit within rounding of 0 may then turn.
        flipped = hamming(encoded.window_codes, golden["window_codes"]).sum()
        assert flipped <= golden["window_codes"].size * 8 // 10_000
        assert hamming(encoded.global_code, golden["global_code"]) <= 1
        assert encoded.gate == pytest.approx(tuple(golden["gate"]), abs=1e-4)


def test_a_frame_gives_one_global_code_and_hundreds_of_window_codes(encoder):
    encoded = encoder.encode(textured_frame(0))
    assert encoded.global_code.shape == (16,)
    assert encoded.window_codes.shape == (len(encoded.window_ids), 16)
    assert len(encoded.window_ids) > 100
    assert sum(encoded.gate) == pytest.approx(1)
    assert encoded.model_fingerprint == encoder.fingerprint


@pytest.mark.slow
def test_a_region_that_is_a_window_has_that_windows_code(encoder):
    frame = textured_frame(1)
    encoded = encoder.encode(frame)
    for position in (0, len(encoded.window_ids) // 2, len(encoded.window_ids) - 1):
        size, *_ = unpack_window_id(int(encoded.window_ids[position]))
        box = encoder.window_box(frame.info, int(encoded.window_ids[position]))
        if min(box.width, box.height) * 1.5 != pytest.approx(WindowConfig().cells[size] * 16, rel=0.01):
            continue  # clipped at the frame's edge: it has another centre
        query = encoder.region_query(frame, box)
        assert hamming(query.window_codes[0], encoded.window_codes[position]) <= 2, size


def centred(side: float) -> Box:
    return Box(128 - side / 2, 128 - side / 2, side, side)


@pytest.mark.slow
def test_a_smaller_region_has_other_codes_down_to_four_fifths_of_the_smallest_window(encoder):
    frame = textured_frame(1)
    size = 32 / 1.5  # pixels
    full, smaller, least, tiny = (
        encoder.region_query(frame, centred(share * size)).window_codes for share in (1.0, 0.9, 0.8, 0.3)
    )
    assert hamming(full, smaller).any()
    assert hamming(smaller, least).any()
    assert np.array_equal(least, tiny)


def test_a_small_region_is_asked_for_by_thumbnails_of_the_archives_size():
    encoder, frame = ThumbnailEncoder(), textured_frame(1)
    small, full = (encoder.region_query(frame, centred(share * 32 / 1.5)) for share in (0.8, 1.0))
    assert np.array_equal(small.window_codes, full.window_codes)


def test_an_image_query_has_the_frames_global_code_and_some_of_its_windows(encoder):
    frame = textured_frame(2)
    encoded, query = encoder.encode(frame), encoder.image_query(frame)
    assert np.array_equal(query.global_code, encoded.global_code)
    known = {code.tobytes() for code in encoded.window_codes}
    assert 1 <= len(query.window_codes) <= 16
    assert {code.tobytes() for code in query.window_codes} <= known


def test_codes_tell_one_place_from_another(encoder):
    first, second = encoder.encode(textured_frame(3)), encoder.encode(textured_frame(4))
    assert hamming(first.window_codes[:50], second.window_codes[:50]).mean() > 10
    assert len(np.unique(first.window_codes, axis=0)) > len(first.window_codes) // 2


def test_a_frame_of_air_has_a_global_code_and_no_windows(encoder):
    frame = Frame(frame_info(), np.full((256, 256), -1000, np.float32), Units.HU)
    encoded = encoder.encode(frame)
    assert encoded.window_codes.shape == (0, 16)
    assert encoder.image_query(frame).window_codes.shape == (0, 16)


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (20, 900), (64, 64), (1500, 700)])
def test_frames_of_any_shape_and_unknown_spacing_are_encoded(encoder, rows, columns):
    values = np.random.default_rng(0).random((rows, columns)).astype(np.float32)
    frame = Frame(frame_info(rows, columns, None, "OT"), values, Units.PRESENTATION)
    encoded = encoder.encode(frame)
    for window_id in encoded.window_ids.tolist():
        box = encoder.window_box(frame.info, window_id)
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= columns + 1e-6
        assert box.y + box.height <= rows + 1e-6


def test_pixels_twice_as_high_as_wide_are_encoded_so_whether_aspect_or_spacing_says_it(encoder):
    # The same picture with square pixels has twice as many rows.
    merged = textured_frame(3, 128, 256, None).values
    between = (merged + np.roll(merged, -1, axis=0)) / 2
    rows = np.stack([merged, between], axis=1).reshape(256, 256)
    whole = Frame(frame_info(256, 256, None), rows, Units.HU)
    info = frame_info(128, 256, None)
    square, by_aspect = (
        encoder.encode(Frame(one, merged, Units.HU)).global_code
        for one in (info, replace(info, pixel_aspect=2.0))
    )
    expected = encoder.encode(whole).global_code
    assert hamming(expected, by_aspect) <= 8 < 12 < hamming(expected, square)
    box = encoder.window_box(replace(info, pixel_aspect=2.0), 0)
    assert box.width == pytest.approx(2 * box.height)


@pytest.mark.parametrize(
    "load", [lambda: HmarEncoder.load(shipped_bundle()), ThumbnailEncoder], ids=["hmar", "thumbnail"]
)
def test_several_regions_have_the_windows_of_each_and_are_as_typical_as_the_least(load):
    encoder, frame = load(), textured_frame(5)
    boxes = [Box(40, 50, 30, 30), Box(120, 90, 60, 50)]
    alone = [encoder.region_query(frame, box) for box in boxes]
    whole, together, second = encoder.queries(frame, [(), boxes, boxes[1:]])
    assert np.array_equal(together.window_codes, np.concatenate([query.window_codes for query in alone]))
    for part, query in zip(together.parts, alone, strict=True):
        assert np.array_equal(part, query.window_codes)
    assert together.region_typicality == tuple(query.typicality for query in alone)
    known = [query.typicality for query in alone if query.typicality is not None]
    assert together.typicality == min(known, default=None)
    assert np.array_equal(second.window_codes, alone[1].window_codes)
    assert np.array_equal(whole.window_codes, encoder.image_query(frame).window_codes)
    assert whole.region_typicality == ()
    with pytest.raises(RegionError, match="250,0,20,20"):
        encoder.queries(frame, [(), [boxes[0], Box(250, 0, 20, 20)]])


def test_a_region_outside_the_frame_is_refused(encoder):
    with pytest.raises(RegionError, match="250,0,20,20"):
        encoder.region_query(textured_frame(0), Box(250, 0, 20, 20))
