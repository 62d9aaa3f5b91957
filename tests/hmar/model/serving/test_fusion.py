"""The fused distance against the sum that it stands for."""

import numpy as np
import pytest

from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.model.serving.fusion import LOCAL_SCALE, fusion_weights
from hmar.values.geometry import Box
from tests.frames import textured_frame


@pytest.mark.parametrize("gate", [(0.5, 0.5), (0.69, 0.31), (0.2, 0.8)])
@pytest.mark.parametrize("windows", [1, 2, 9])
def test_frames_are_ranked_by_the_sum_over_all_codes_weighed_by_the_gate(gate, windows):
    rng = np.random.default_rng(windows)
    whole, nearest = rng.integers(0, 129, 40), rng.integers(0, 129, (40, windows))
    weights = fusion_weights(gate, windows)
    assert sum(weights) == pytest.approx(1)
    fused = weights[0] * whole + weights[1] * nearest.mean(axis=1)
    every = [
        gate[0] * frame + gate[1] * LOCAL_SCALE * sum(own)
        for frame, own in zip(whole.tolist(), nearest.tolist(), strict=True)
    ]
    assert np.argsort(fused).tolist() == np.argsort(every).tolist()


def test_a_query_without_windows_and_a_gate_that_is_shut_leave_one_expert():
    assert fusion_weights((0.4, 0.6), 0) == (1, 0)
    assert fusion_weights((1.0, 0.0), 3) == (1, 0)
    assert fusion_weights((0.0, 1.0), 3) == (0, 1)


def test_a_query_counts_its_windows_and_an_archives_frame_keeps_the_routers_gate():
    encoder, frame = HmarEncoder.load(shipped_bundle()), textured_frame(2)
    gate = encoder.encode(frame).gate
    for query in (encoder.image_query(frame), encoder.region_query(frame, Box(60, 60, 40, 40))):
        assert query.gate == fusion_weights(gate, len(query.window_codes))
