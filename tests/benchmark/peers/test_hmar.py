"""Our model as a peer: what it is trained on, what it is chosen by, and what its other forms are."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark.accuracy.quick import STEPS, shortened
from benchmark.layers import MatrixLayer, MlpLayer
from benchmark.metrics.figures import macro, rank_metrics
from benchmark.peers import PEERS
from benchmark.peers.hmar import Hmar, HmarMlp, HmarNoKan, material_of
from benchmark.types import Features
from hmar.errors import ParameterError
from hmar.model.backbones.efficientnet_lite0 import CHANNELS
from hmar.training.heads.code_layer import code_layer
from hmar.training.heads.kan_layer import TrainableKAN

CLASSES = 3


def images(count: int, seed: int, labels: np.ndarray | None = None) -> Features:
    """Parts whose class shows in all channels, beside noise in each look; the rest tells nothing."""
    patterns = np.random.default_rng(9).normal(0, 1, (CLASSES, CHANNELS, 3, 3))
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES if labels is None else labels
    return Features(
        pooled=rng.normal(0, 1, (count, 8)).astype(np.float32),
        parts=(patterns[labels] + rng.normal(0, 0.6, (2, count, CHANNELS, 3, 3))).astype(np.float16),
        thumbnails=rng.random((count, 1024), dtype=np.float32),
        labels=labels,
        groups=np.arange(count) // 2,
    )


TRAIN, VAL, TEST = images(60, 0), images(24, 1), images(30, 2)


def brief(peer: type[Hmar] = Hmar) -> Hmar:
    return shortened(peer())


def test_what_is_trained_on_is_train_and_what_chooses_is_val():
    unseen = images(24, 1, labels=np.arange(24) % 2)
    known = TRAIN.take(np.flatnonzero(TRAIN.labels > 0))
    made = material_of(known, unseen)
    assert (~made.held_out).sum() == len(known)
    assert made.held_out.sum() == (unseen.labels > 0).sum()  # the other class has nothing to be found
    assert made.labels.count == 2
    assert made.labels.label.tolist() == [*(known.labels - 1), *[0] * 12]
    assert made.labels.patient[: len(known)].tolist() == known.groups.tolist()
    np.testing.assert_array_equal(made.parts[:, : len(known)].numpy(), known.parts)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("peer", "layer"), [(Hmar, TrainableKAN), (HmarNoKan, MatrixLayer), (HmarMlp, MlpLayer)]
)
def test_every_form_learns_with_its_own_last_layer(peer, layer):
    model = brief(peer)
    describe = model.fit(TRAIN, VAL, CLASSES, 64, seed=0)
    ranked = rank_metrics(describe(TEST), describe(TRAIN), TEST.labels, TRAIN.labels)
    assert macro(ranked.ap, TEST.labels) > 0.8
    (network,) = model._learnt.values()
    assert isinstance(code_layer(network.global_expert.head), layer)
    assert PEERS[peer.name].paper == Hmar.paper


@pytest.mark.slow
def test_one_training_makes_all_lengths_and_the_shorter_codes_begin_the_longer(monkeypatch):
    model, trained = brief(), []
    train = model._trained
    monkeypatch.setattr(model, "_trained", lambda *given: trained.append(given[2]) or train(*given))
    codes = {
        (bits, seed): model.fit(TRAIN, VAL, CLASSES, bits, seed)(TEST)
        for bits in (64, 128)
        for seed in (0, 1)
    }
    assert trained == [0, 1]
    for seed in (0, 1):
        np.testing.assert_array_equal(codes[64, seed], codes[128, seed][:, :8])
    assert not np.array_equal(codes[128, 0], codes[128, 1])
    model.fit(TRAIN.take(np.arange(30)), VAL, CLASSES, 64, 0)  # another protocol's side
    assert trained == [0, 1, 0]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_codes_and_leaves_the_global_state_alone():
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    first, second = (brief().fit(TRAIN, VAL, CLASSES, 64, 0)(TEST) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads


@pytest.mark.slow
def test_a_val_that_cannot_tell_is_no_obstacle():
    none = VAL.take(np.zeros(0, np.int64))
    assert brief().fit(TRAIN, none, CLASSES, 128, 0)(TEST).shape == (len(TEST), 16)


@pytest.mark.parametrize(
    ("bits", "said"), [(0, "0 bits does not"), (12, "12 bits does not"), (136, "no code of 136")]
)
def test_lengths_that_the_codes_do_not_have_are_refused(bits, said):
    with pytest.raises(ParameterError, match=said):
        Hmar().fit(TRAIN, VAL, CLASSES, bits, 0)


def test_images_are_described_as_the_product_encodes_them():
    model = brief()
    describe = model.fit(TRAIN, VAL, CLASSES, 64, 0)
    varied = replace(TEST, parts=np.stack([TEST.parts[0], TEST.parts[0] + 5]))
    np.testing.assert_array_equal(describe(varied), describe(TEST))


def test_a_check_takes_few_steps():
    assert brief().training.label_steps == STEPS < Hmar().training.label_steps
