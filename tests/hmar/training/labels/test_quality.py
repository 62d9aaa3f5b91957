"""Mean average precision under ties, against the benchmark's, which sums rank by rank."""

import math

import numpy as np
import pytest
import torch

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from benchmark.metrics.figures import distances, expected_ap
from hmar.training.labels.quality import mean_average_precision


def by_ranks(queries: np.ndarray, gallery: np.ndarray, asked: np.ndarray, there: np.ndarray) -> float:
    packed = (np.packbits(codes > 0, axis=1) for codes in (queries, gallery))
    apart = distances(*packed)
    found = {
        label: [
            expected_ap(row, there == label) for row, own in zip(apart, asked, strict=True) if own == label
        ]
        for label in np.unique(asked)
        if label in there
    }
    return float(np.mean([np.mean(of_label) for of_label in found.values()]))


@pytest.mark.parametrize("bits", [8, 64, 128])
def test_it_is_the_mean_over_labels_of_what_a_random_order_within_ties_gives(bits):
    rng = np.random.default_rng(bits)
    # Few patterns, so that most distances hold several images.
    patterns = rng.normal(size=(6, bits)).astype(np.float32)
    queries, gallery = patterns[rng.integers(6, size=30)], patterns[rng.integers(6, size=90)]
    asked, there = rng.integers(4, size=30), rng.integers(3, size=90)  # nothing has the label 3
    found = mean_average_precision(*map(torch.from_numpy, (queries, gallery, asked, there)))
    assert found == pytest.approx(by_ranks(queries, gallery, asked, there), abs=1e-12)


def test_codes_that_separate_labels_find_everything_and_equal_codes_find_by_chance():
    label = torch.tensor([0, 1]).repeat(50)
    separate = torch.where(label[:, None] == 1, 1.0, -1.0).expand(-1, 64)
    assert mean_average_precision(separate, separate, label, label) == 1
    equal = mean_average_precision(torch.ones(100, 64), torch.ones(100, 64), label, label)
    assert 0.5 < equal < 0.55  # a little above half: R + 1 relevant ones are expected up to a relevant one


def test_without_a_label_in_common_there_is_no_figure():
    codes = torch.ones(2, 64)
    assert math.isnan(mean_average_precision(codes, codes, torch.zeros(2).long(), torch.ones(2).long()))
