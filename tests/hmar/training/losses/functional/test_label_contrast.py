"""The contrast between images of one label, against plain loops."""

import math

import numpy as np
import pytest
import torch

from hmar.training.losses.functional.label_contrast import same_label_pairs, supervised_contrastive

LOGITS = torch.from_numpy(np.random.default_rng(3).normal(size=(6, 8)).astype(np.float32))
LABELS, GROUPS = torch.tensor([0, 0, 1, 1, 2, 0]), torch.tensor([0, 1, 2, 3, 4, 0])


def soft_cosine(i: int, j: int) -> float:
    a, b = (np.tanh(LOGITS[k].numpy().astype(float)) for k in (i, j))
    return float(a @ b / math.sqrt(a @ a) / math.sqrt(b @ b))


def test_only_other_groups_of_the_class_are_positives_and_own_neighbours_are_left_out():
    positive = same_label_pairs(LABELS, GROUPS)
    assert positive[0].tolist() == [False, True, False, False, False, False]
    expected = []
    for i in range(6):
        mates = [j for j in range(6) if positive[i, j]]
        counted = [j for j in range(6) if positive[i, j] or LABELS[i] != LABELS[j]]
        total = sum(math.exp(soft_cosine(i, j) / 0.2) for j in counted)
        if mates:
            expected.append(-np.mean([soft_cosine(i, j) / 0.2 - math.log(total) for j in mates]))
    loss = supervised_contrastive(LOGITS, LABELS, GROUPS, 0.2)
    assert loss.item() == pytest.approx(np.mean(expected), rel=1e-4)


def test_images_without_another_of_their_label_teach_nothing():
    alone = torch.arange(6)
    assert supervised_contrastive(LOGITS, alone, alone, 0.2).item() == 0
