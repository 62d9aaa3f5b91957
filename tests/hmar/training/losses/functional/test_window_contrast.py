"""The contrast between windows of images of one label, against plain loops."""

import math

import numpy as np
import pytest
import torch

from hmar.training.losses.functional.label_contrast import same_label_pairs
from hmar.training.losses.functional.window_contrast import mutual_nearest, region_contrastive

LOGITS = torch.from_numpy(np.random.default_rng(3).normal(size=(6, 8)).astype(np.float32))
LABELS, GROUPS = torch.tensor([0, 0, 1, 1, 2, 0]), torch.tensor([0, 1, 2, 3, 4, 0])


def soft_cosine(i: int, j: int) -> float:
    a, b = (np.tanh(LOGITS[k].numpy().astype(float)) for k in (i, j))
    return float(a @ b / math.sqrt(a @ a) / math.sqrt(b @ b))


def test_windows_that_choose_each_other_across_groups_are_pulled_together():
    image = torch.arange(6)
    allowed = same_label_pairs(LABELS, GROUPS)
    similarity = torch.tensor([[soft_cosine(i, j) for j in range(6)] for i in range(6)])
    pairs = mutual_nearest(similarity, allowed)
    for i in range(6):
        for j in range(6):
            best = {
                k: max(
                    (x for x in range(6) if allowed[k, x]), key=lambda x, k=k: similarity[k, x], default=-1
                )
                for k in (i, j)
            }
            assert bool(pairs[i, j]) == (best[i] == j and best[j] == i)
    expected = []
    for i, j in pairs.nonzero().tolist():
        counted = [j, *(k for k in range(6) if LABELS[i] != LABELS[k])]
        total = sum(math.exp(soft_cosine(i, k) / 0.2) for k in counted)
        expected.append(math.log(total) - soft_cosine(i, j) / 0.2)
    loss = region_contrastive(LOGITS, image, LABELS, GROUPS, 0.2)
    assert loss.item() == pytest.approx(np.mean(expected), rel=1e-4)


def test_windows_without_a_partner_teach_nothing():
    alone = torch.arange(6)
    assert region_contrastive(LOGITS, alone, alone, alone, 0.2).item() == 0
