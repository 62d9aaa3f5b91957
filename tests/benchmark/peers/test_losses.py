"""The losses of the learned peers against plain loops over images, bits and pairs."""

import math

import numpy as np
import pytest
import torch

from benchmark.peers.learned.acir import AcirLoss
from benchmark.peers.learned.csq import CsqLoss
from benchmark.peers.learned.dpn import DpnLoss
from benchmark.peers.learned.greedyhash import GreedyHashLoss
from benchmark.peers.learned.hashnet import HashNetLoss
from benchmark.peers.learned.models import Batch
from benchmark.peers.learned.orthohash import OrthoHashLoss
from hmar.training.losses.class_codes import class_codes

BITS, CLASSES, IMAGES = 8, 3, 5
RNG = np.random.default_rng(0)
CODES = class_codes(CLASSES, BITS, RNG)
LOGITS = torch.from_numpy(RNG.normal(size=(IMAGES, BITS)).astype(np.float32))
LABELS = [0, 2, 0, 1, 2]
PICTURES = RNG.random((IMAGES, 1024)).astype(np.float32)
PAIRS = [(i, j) for i in range(IMAGES) for j in range(IMAGES) if i != j]


def batch(done: float = 0.0) -> Batch:
    return Batch(torch.tensor(LABELS), torch.from_numpy(PICTURES), done)


def cross_entropy(scores, label: int) -> float:
    return math.log(sum(math.exp(score) for score in scores)) - scores[label]


def test_orthohash_is_the_cross_entropy_of_scaled_cosines_with_the_margin_on_the_own_class():
    expected = 0.0
    for u, label in zip(LOGITS.tolist(), LABELS, strict=True):
        length = math.sqrt(sum(x * x for x in u)) * math.sqrt(BITS)
        cosines = [sum(x * c for x, c in zip(u, code, strict=True)) / length for code in CODES.tolist()]
        cosines[label] -= 0.2
        expected += cross_entropy([8 * cosine for cosine in cosines], label) / IMAGES
    assert OrthoHashLoss(CODES)(LOGITS, batch()).item() == pytest.approx(expected, rel=1e-5)


def test_csq_is_the_cross_entropy_of_every_bit_and_a_little_quantisation():
    expected = 0.0
    for u, label in zip(LOGITS.tolist(), LABELS, strict=True):
        for x, centre in zip(u, CODES[label].tolist(), strict=True):
            chance = (1 + math.tanh(x)) / 2
            bit = -math.log(chance if centre > 0 else 1 - chance)
            expected += (bit + 1e-4 * (abs(math.tanh(x)) - 1) ** 2) / (IMAGES * BITS)
    assert CsqLoss(CODES)(LOGITS, batch()).item() == pytest.approx(expected, rel=1e-5)


def test_dpn_is_the_mean_shortfall_from_the_margin():
    expected = sum(
        max(0.0, 1 - x * centre)
        for u, label in zip(LOGITS.tolist(), LABELS, strict=True)
        for x, centre in zip(u, CODES[label].tolist(), strict=True)
    )
    assert DpnLoss(CODES)(LOGITS, batch()).item() == pytest.approx(expected / (IMAGES * BITS), rel=1e-5)


def test_greedyhash_classifies_the_signs_and_passes_their_gradient_on():
    loss = GreedyHashLoss(CLASSES, BITS)
    logits = LOGITS.clone().requires_grad_()
    value = loss(logits, batch())
    weights = loss.classifier.weight.tolist()
    expected = 0.0
    for u, label in zip(LOGITS.tolist(), LABELS, strict=True):
        signs = [1 if x > 0 else -1 for x in u]
        scores = [sum(w * b for w, b in zip(row, signs, strict=True)) for row in weights]
        penalty = sum(abs(abs(x) - 1) ** 3 for x in u) / BITS
        expected += (cross_entropy(scores, label) + 0.1 * penalty) / IMAGES
    assert value.item() == pytest.approx(expected, rel=1e-5)

    signs = torch.where(LOGITS > 0, 1.0, -1.0).requires_grad_()
    torch.nn.functional.cross_entropy(loss.classifier(signs), torch.tensor(LABELS)).backward()
    size = LOGITS.abs()
    penalty = 0.1 * 3 * (size - 1).abs() * (size - 1) * LOGITS.sign() / LOGITS.numel()
    value.backward()
    torch.testing.assert_close(logits.grad, signs.grad + penalty)


@pytest.mark.parametrize(("done", "beta"), [(0.0, 1.0), (1.0, 10.0)])
def test_hashnet_weighs_both_kinds_of_pair_alike_and_sharpens_its_tanh(done, beta):
    kinds: dict[bool, list[float]] = {True: [], False: []}
    h = [[math.tanh(beta * x) for x in u] for u in LOGITS.tolist()]
    for i, j in PAIRS:
        product = 10 / BITS * sum(a * b for a, b in zip(h[i], h[j], strict=True))
        similar = LABELS[i] == LABELS[j]
        kinds[similar].append(math.log(1 + math.exp(product)) - similar * product)
    expected = sum(sum(values) / len(values) for values in kinds.values())
    assert HashNetLoss()(LOGITS, batch(done)).item() == pytest.approx(expected, rel=1e-5)


def test_acir_pulls_and_pushes_by_pearson_distance_weighed_by_the_pictures():
    loss = AcirLoss(CLASSES, BITS)
    sums = {True: [0.0, 0.0], False: [0.0, 0.0]}
    for i, j in PAIRS:
        distance = 1 - np.corrcoef(LOGITS[i], LOGITS[j])[0, 1]
        weight = (1 + np.corrcoef(PICTURES[i], PICTURES[j])[0, 1]) / 2
        similar = LABELS[i] == LABELS[j]
        sums[similar][0] += weight * (distance if similar else max(0.0, 1 - distance))
        sums[similar][1] += weight
    scores = loss.classifier(LOGITS).tolist()
    entropy = sum(cross_entropy(row, label) for row, label in zip(scores, LABELS, strict=True)) / IMAGES
    expected = sum(total / weight for total, weight in sums.values()) + 0.5 * entropy
    assert loss(LOGITS, batch()).item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("labels", [[1, 1, 1], [0, 1, 2]])
@pytest.mark.parametrize("loss", [HashNetLoss(), AcirLoss(CLASSES, BITS)])
def test_a_pairwise_loss_is_finite_where_one_kind_of_pair_is_missing(loss, labels):
    one_kind = Batch(torch.tensor(labels), torch.from_numpy(PICTURES[:3]), 0.5)
    assert torch.isfinite(loss(LOGITS[:3], one_kind))
