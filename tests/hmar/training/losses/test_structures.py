from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("kan", reason="the extra 'train' is not installed")

from hmar.training.config import TrainingConfig
from hmar.training.data.pairs import PairBatch
from hmar.training.data.structures import NO_STRUCTURE, UNLABELLED
from hmar.training.data.volumes import Volume, constant_regions
from hmar.training.losses.class_codes import nested_codes
from hmar.training.losses.structures import StructureLoss

VIEWS, WINDOWS = 4, 3
SETTINGS = TrainingConfig()


def volume(labelled: bool) -> Volume:
    values = np.zeros((2, 4, 4), np.int16)
    labels = np.full(values.shape, NO_STRUCTURE, np.int16)
    labels[:, :2], labels[:, 2] = 3, 9
    return Volume(
        "v", values, (1.0, 1.0, 1.0), "CT", constant_regions(2, "CHEST"), labels if labelled else None
    )


def batch(label: int | np.ndarray) -> PairBatch:
    labels = np.broadcast_to(np.asarray(label, np.int64), VIEWS * WINDOWS)
    empty, place = torch.empty(0), np.zeros((VIEWS * WINDOWS, 4))
    views = np.arange(VIEWS)
    return PairBatch(views, views, empty, empty, np.full(VIEWS * WINDOWS, 36.0), place, labels, labels)


def loss_of(volumes: list[Volume], config: TrainingConfig = SETTINGS) -> StructureLoss:
    found = [volume.labels for volume in volumes if volume.labels is not None]
    structures = np.unique(np.concatenate(found) if found else [NO_STRUCTURE])[1:].astype(np.int64)
    codes = nested_codes(len(structures) + 1, (64, 128), np.random.default_rng(0))
    return StructureLoss(structures, codes, config)


def test_without_labels_nothing_is_taught():
    logits = torch.randn(2 * VIEWS * WINDOWS, 128)
    assert float(loss_of([volume(False)]).of_windows(logits, batch(UNLABELLED))) == 0
    assert float(loss_of([volume(True)]).of_windows(logits, batch(UNLABELLED))) == 0


def test_windows_of_which_nothing_is_known_change_nothing_beside_others():
    loss = loss_of([volume(True)])
    logits = torch.randn(2 * VIEWS * WINDOWS, 128)
    labels = np.array([3, UNLABELLED, NO_STRUCTURE] * VIEWS)
    moved = logits.clone()
    moved[np.tile(labels, 2) == UNLABELLED] *= -3
    assert torch.equal(loss.of_windows(logits, batch(labels)), loss.of_windows(moved, batch(labels)))


def test_windows_at_their_structures_code_cost_least_at_both_lengths():
    loss = loss_of([volume(True), volume(False)])
    labels = np.array([3, 9, NO_STRUCTURE] * VIEWS)
    own = loss.codes[loss.classes[torch.from_numpy(np.tile(labels, 2))]] * 4
    first_half_wrong, second_half_wrong = own.clone(), own.clone()
    first_half_wrong[:, :64] = own[:, :64].roll(1, 0)
    second_half_wrong[:, 64:] = own[:, 64:].roll(1, 0)
    right = float(loss.of_windows(own, batch(labels)))
    assert right < float(loss.of_windows(first_half_wrong, batch(labels)))
    assert right < float(loss.of_windows(second_half_wrong, batch(labels)))


@pytest.mark.parametrize(("share", "ratio"), [(0.0, 1.0), (0.5, 1 / 3), (0.99, 0.005)])
def test_losses_are_shared_between_the_short_code_and_the_whole(share, ratio):
    """The first 64 bits are in both losses: with halves they get three times as much of it as the others."""
    loss = loss_of([volume(True)], replace(SETTINGS, short_share=share))
    torch.manual_seed(0)
    logits = torch.randn(2 * VIEWS * WINDOWS, 128, requires_grad=True)
    loss.of_windows(logits, batch(np.array([3, 9, NO_STRUCTURE] * VIEWS))).backward()
    assert logits.grad is not None
    short, rest = (float(part.abs().sum()) for part in logits.grad.split(64, dim=1))
    assert rest / short == pytest.approx(ratio, rel=0.15)


def test_codes_of_structures_are_far_apart_in_either_half():
    directions = loss_of([volume(True)]).codes
    assert directions.shape == (3, 128)
    for half in (directions[:, :64], directions[:, 64:]):
        differing = (half[:, None] != half[None]).sum(dim=2)
        assert int((differing + 64 * torch.eye(3, dtype=torch.int64)).min()) == 32
