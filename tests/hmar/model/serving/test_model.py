"""The shipped model's serving form and its network give the same codes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hmar.encoder import shipped_bundle
from hmar.errors import ModelError
from hmar.image.windows import QueryWindows, cover
from hmar.model.config import PARTS
from hmar.model.experts import pool
from hmar.model.serving.model import ServedModel, load_served
from hmar.model.weights import Bundle, load_bundle
from hmar.training.export.golden import golden_frame
from hmar.training.export.parity import Logits, Rounding, check_parity, compare, served_logits, torch_logits
from hmar.values.frames import Frame, Units
from hmar.values.geometry import Spacing
from tests.frames import frame_info, textured_frame
from tests.phantoms import slice_hu


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(shipped_bundle())


@pytest.fixture(scope="module")
def model() -> ServedModel:
    return load_served(shipped_bundle())


LITTLE = np.array([5e-3, -0.5], np.float32)


def phantom(spacing: float) -> Frame:
    values = slice_hu(1, 2, (60.0, 84.0)).astype(np.float32)
    return Frame(frame_info(*values.shape, Spacing(spacing, spacing), "CT", "CHEST"), values, Units.HU)


def untagged() -> Frame:
    values = np.random.default_rng(0).random((150, 210)).astype(np.float32)
    return Frame(frame_info(150, 210, None, "OT"), values, Units.PRESENTATION)


FRAMES = {
    "golden": golden_frame,
    "textured": lambda: textured_frame(3),
    "chest": lambda: phantom(2.0),
    "coarse": lambda: phantom(3.1),
    "untagged": untagged,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FRAMES)
def test_both_forms_give_the_same_bits_gate_and_nearly_the_same_logits(model, bundle, name):
    frame = FRAMES[name]()
    parity = check_parity(model, bundle, frame)
    assert parity.bits > 128
    assert parity.departure < 1e-4
    expected = torch_logits(bundle, frame).gate
    assert served_logits(model, bundle, frame).gate == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("side", [5.0, 2.4])
def test_a_regions_windows_have_the_networks_logits_in_order_of_row_and_column(model, bundle, side):
    backbone_map = model.map(np.random.default_rng(0).random((3, 160, 192)).astype(np.float32))
    windows = QueryWindows(np.array([2.3, 1.0, 3.6]), np.array([-0.5, 4.0, 8.5]), side)
    with torch.inference_mode():
        first = torch.from_numpy(np.ascontiguousarray(backbone_map.transpose(2, 0, 1)))[None]
        projected = bundle.network.local_expert.map(first)[0]
        weights = [
            torch.from_numpy(cover(starts, side, PARTS, cells))
            for starts, cells in zip((windows.rows, windows.columns), projected.shape[1:], strict=True)
        ]
        expected = bundle.network.local_expert(pool(projected, *weights).flatten(0, 1)).numpy()
    assert np.abs(model.region_logits(backbone_map, windows) - expected).max() < 1e-4


def logits(*values: float) -> Logits:
    return Logits(np.array(values, np.float32), np.empty((0, len(values)), np.float32), (0.5, 0.5))


def test_a_flipped_bit_counts_as_decided_unless_its_logit_is_next_to_zero():
    parity = compare(logits(1.0, -0.5, 5e-5, 0.0), logits(1.1, 0.1, -1e-5, 1e-6))
    assert (parity.bits, parity.flipped, parity.decided) == (4, 3, 1)
    assert parity.departure == pytest.approx(0.6)


def test_what_rounding_may_turn_is_told_for_the_frame_and_for_windows():
    one, other = (Logits(sign * LITTLE, sign * LITTLE[None], (0.5, 0.5)) for sign in np.float32([1, -1]))
    near = [Rounding(*bounds) for bounds in ((1e-4, 1e-4), (2e-2, 1e-4), (1e-4, 2e-2), (2.0, 2.0))]
    assert [compare(one, other, each).decided for each in near] == [4, 3, 3, 0]


def test_a_bit_that_rounding_may_turn_is_decided_where_the_other_logit_is_farther_off_than_rounding():
    near = Rounding(1e-2, 1e-4)
    assert compare(logits(5e-3), logits(-4e-3), near).decided == 0
    assert compare(logits(5e-3), logits(-3.0), near).decided == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_not_finite_is_no_parity(value):
    assert compare(logits(1.0, value), logits(1.0, 1.0), Rounding(np.inf, np.inf)).decided == 1
    assert compare(logits(1.0, 1.0), logits(1.0, value)).decided == 1


@pytest.mark.slow
def test_a_serving_form_that_gives_other_codes_is_refused(model, bundle):
    altered = load_bundle(shipped_bundle())
    altered.network.local_expert.head.reduce.bias[:100].add_(0.5)
    with pytest.raises(ModelError, match=r"differs from its network in \d+ of \d+ bits"):
        check_parity(model, altered, golden_frame())
