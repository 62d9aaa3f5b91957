import functools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark.accuracy.quick import shortened
from benchmark.metrics.figures import macro, rank_metrics
from benchmark.peers import PEERS, schedules, select_peers
from benchmark.peers.bits import pack_bits
from benchmark.peers.learned.choice import Choice
from benchmark.peers.learned.models import CodeModel
from benchmark.peers.learned.sampling import balanced_batches
from benchmark.peers.learned.schedule import Schedule
from benchmark.peers.learned.training import learn
from benchmark.peers.scaling import Standardiser, UnitCentring, principal_axes
from benchmark.types import Features
from hmar.errors import ParameterError
from hmar.training.losses.class_codes import class_codes

NAMES = [
    *("random", "thumbnail", "cosine", "lsh", "pca", "itq", "trivial", "linear", "mlp", "csq", "greedyhash"),
    *("dpn", "hashnet", "acir", "hmar", "hmar-no-kan", "hmar-mlp"),
]
OWN = [name for name in NAMES if not name.startswith("hmar")]
FLOATS = ["thumbnail", "cosine"]
UNTRAINED = ["random", "lsh", "pca", "itq"]
TRAINED = ["trivial", "linear", "mlp", "csq", "greedyhash", "dpn", "hashnet", "acir"]
CLASSES = 4
CHANNELS = 112


def images(count: int, seed: int, *, classes: int = CLASSES, dimensions: int = 24, noise: float = 0.4):
    """Features around one centre a class, far from zero; parts and pictures show the class as well."""
    centres = np.random.default_rng(99).normal(5, 1, (classes, dimensions)).astype(np.float32)
    patterns = np.random.default_rng(97).normal(5, 1, (classes, CHANNELS, 3, 3))
    pictures = np.random.default_rng(98).random((classes, 1024), dtype=np.float32)
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    return Features(
        pooled=centres[labels] + rng.normal(0, noise, (count, dimensions)).astype(np.float32),
        parts=(patterns[labels] + rng.normal(0, noise, (2, count, CHANNELS, 3, 3))).astype(np.float16),
        thumbnails=np.clip(pictures[labels] + rng.normal(0, 0.2, (count, 1024)), 0, 1).astype(np.float32),
        labels=labels,
        groups=np.arange(count),
    )


TRAIN, VAL, TEST = images(160, 0), images(40, 1), images(60, 2)


@functools.cache
def fitted(name: str):
    """The peer at 32 bits and seed 0."""
    return fit(name, seed=0)


def fit(name: str, seed: int):
    return PEERS[name].fit(TRAIN, VAL, CLASSES, 32, seed)


def quality(describe) -> float:
    ranked = rank_metrics(describe(TEST), describe(TRAIN), TEST.labels, TRAIN.labels)
    return macro(ranked.ap, TEST.labels)


def test_the_peers_stand_in_the_order_of_the_tables():
    assert list(PEERS) == NAMES
    assert all(name == peer.name for name, peer in PEERS.items())


def selected(text: str) -> list[str]:
    return [peer.name for peer in select_peers(text)]


def test_peers_are_selected_by_name_or_all_and_an_unknown_name_is_refused_with_the_known_ones():
    assert selected("all") == NAMES
    assert selected("itq, linear,itq") == ["itq", "linear"]
    assert selected("linear, all") == ["linear", *(name for name in NAMES if name != "linear")]
    with pytest.raises(ParameterError, match=r"'itx'.*random, thumbnail.*hmar-mlp"):
        selected("linear,itx")


def test_the_table_of_the_readme_names_every_peer_with_its_paper():
    table = (Path(__file__).parents[3] / "benchmark" / "README.md").read_text("utf-8")
    for peer in PEERS.values():
        row = next(line for line in table.splitlines() if line.startswith(f"| `{peer.name}` |"))
        assert peer.paper in row


@pytest.mark.slow
@pytest.mark.parametrize("name", [*UNTRAINED, *TRAINED])
def test_a_hashing_peer_gives_packed_codes_of_the_length_asked_for(name):
    codes = fitted(name)(TEST)
    assert codes.dtype == np.uint8
    assert codes.shape == (len(TEST), 4)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*UNTRAINED, "linear"])
def test_bits_that_fill_no_bytes_are_refused(name):
    with pytest.raises(ParameterError, match="12 bits"):
        PEERS[name].fit(TRAIN, VAL, CLASSES, 12, seed=0)


@pytest.mark.parametrize("name", FLOATS)
def test_a_float_peer_gives_floats_whatever_the_bits(name):
    described = [PEERS[name].fit(TRAIN, VAL, CLASSES, bits, seed=0)(TEST) for bits in (16, 64)]
    assert described[0].dtype == np.float32
    np.testing.assert_array_equal(*described)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*UNTRAINED, "linear", "mlp"])
def test_the_same_seed_gives_the_same_descriptors_and_leaves_the_global_state_alone(name):
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    first, second = (fit(name, seed=0)(TEST) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads


@pytest.mark.slow
@pytest.mark.parametrize("name", ["random", "lsh", "itq", "linear"])
def test_a_peer_that_learns_or_draws_gives_other_codes_for_another_seed(name):
    first, second = (fit(name, seed)(TEST) for seed in (0, 1))
    assert PEERS[name].learns
    assert not np.array_equal(first, second)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_a_trained_peer_separates_what_is_separable(name):
    assert quality(fitted(name)) > 0.99


def test_chance_is_the_share_of_the_class_and_unsupervised_codes_are_above_it():
    reached = {name: quality(fitted(name)) for name in OWN[:6]}
    assert reached["random"] == pytest.approx(1 / CLASSES, abs=0.05)
    assert min(reached[name] for name in OWN[1:6]) > 0.4


@pytest.mark.slow
@pytest.mark.parametrize("name", [*UNTRAINED, "trivial", "csq", "greedyhash"])
def test_labels_with_gaps_and_a_val_of_other_classes_are_no_obstacle(name):
    train = TRAIN.take(np.flatnonzero(TRAIN.labels % 2 == 1))
    unseen = VAL.take(np.flatnonzero(VAL.labels % 2 == 0))
    codes = PEERS[name].fit(train, unseen, CLASSES, 16, seed=0)(TEST)
    assert codes.shape == (len(TEST), 2)


@pytest.mark.parametrize("name", ["lsh", "pca", "itq"])
def test_fewer_images_and_features_than_bits_still_give_codes_that_tell_images_apart(name):
    few = images(6, 3, dimensions=5)
    codes = PEERS[name].fit(few, few, CLASSES, 64, seed=0)(few)
    assert codes.shape == (6, 8)
    assert len(np.unique(codes, axis=0)) > 1


def test_a_thumbnail_is_the_picture_less_the_mean_picture_of_train():
    described = fitted("thumbnail")(TEST)
    np.testing.assert_allclose(described, TEST.thumbnails - TRAIN.thumbnails.mean(0), atol=1e-6)


def test_the_trivial_code_has_as_many_values_as_classes():
    codes = fitted("trivial")(TEST)
    assert len(np.unique(codes, axis=0)) == CLASSES


def test_bits_are_logits_above_zero_most_significant_first():
    logits = np.array([[0.5, -1, 0, 2, -0.1, -3, 1e-9, 0.1]], np.float32)
    assert pack_bits(logits).tolist() == [[0b10010011]]
    with pytest.raises(ParameterError, match="12 bits"):
        pack_bits(np.zeros((1, 12), np.float32))


@pytest.mark.slow
@given(st.integers(1, 40), st.sampled_from([8, 16, 24, 64]), st.integers(0, 9))
def test_class_codes_differ_in_half_the_bits_where_they_can_and_never_coincide(classes, bits, seed):
    codes = class_codes(classes, bits, np.random.default_rng(seed))
    assert codes.shape == (classes, bits)
    assert set(np.unique(codes)) <= {-1, 1}
    apart = [(a != b).sum() for i, a in enumerate(codes) for b in codes[:i]]
    if classes <= bits and bits & (bits - 1) == 0:
        assert set(apart) <= {bits // 2}
    assert min(apart, default=1) > 0 or classes > bits


def test_a_rare_class_is_drawn_as_often_as_a_common_one():
    labels = np.array([7] * 990 + [3] * 10)
    drawn = np.concatenate(list(balanced_batches(labels, 100, 50, np.random.default_rng(0))))
    assert (labels[drawn] == 3).mean() == pytest.approx(0.5, abs=0.05)
    assert set(drawn[labels[drawn] == 3]) == set(range(990, 1000))


def test_scaling_is_that_of_train_and_leaves_a_constant_feature_finite():
    pooled = np.array([[1, 4], [3, 4]], np.float32)
    np.testing.assert_allclose(Standardiser.of(pooled)(np.array([[5, 6]], np.float32)), [[3, 2]])


def test_unsupervised_peers_see_rows_of_unit_length_less_their_mean_and_no_length():
    centring = UnitCentring.of(np.array([[3, 4], [0, 2]], np.float32))
    seen = centring(np.array([[6, 8], [0, 0]], np.float32))
    np.testing.assert_allclose(seen, [[0.3, -0.1], [-0.3, -0.9]], rtol=1e-5)


def test_principal_axes_are_orthonormal_in_order_of_variance_and_zero_past_the_rank():
    rows = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32) * [1, 2, 3, 4, 5, 6]
    centred = (rows - rows.mean(0)).astype(np.float32)
    axes = principal_axes(centred, 5)
    variances = (centred @ axes).var(axis=0)
    np.testing.assert_allclose(axes.T @ axes, np.diag([1, 1, 1, 0, 0]), atol=1e-5)
    assert np.all(np.diff(variances) <= 1e-5)
    assert variances.sum() == pytest.approx(centred.var(axis=0).sum(), rel=1e-4)


class Drifting(CodeModel):
    """Right at first; its loss moves every logit upwards until all codes are the same."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.shift = torch.nn.Parameter(torch.zeros(inputs))

    def forward(self, x):
        return x + self.shift

    def loss(self, x, batch):
        return -self.shift.sum()


def drifted(val: Features):
    schedule = Schedule(least=200, passes=1, evaluations=20, patience=99, rate=0.1, decay=0)
    return learn(lambda inputs, rng: Drifting(inputs), TRAIN, val, 0, schedule)


@pytest.mark.slow
def test_the_weights_that_did_best_on_val_are_kept_and_the_last_where_val_cannot_tell():
    none = VAL.take(np.zeros(0, np.int64))
    assert quality(drifted(VAL)) > 0.6
    assert len(np.unique(drifted(none)(TEST), axis=0)) == 1


def test_a_val_that_cannot_tell_does_not_end_the_training():
    none = VAL.take(np.zeros(0, np.int64))
    steps = []

    class Counting(Drifting):
        def loss(self, x, batch):
            steps.append(batch.done)
            return super().loss(x, batch)

    schedule = Schedule(least=30, passes=1, evaluations=10, patience=2)
    learn(lambda inputs, rng: Counting(inputs), TRAIN, none, 0, schedule)
    assert len(steps) == 30
    steps.clear()
    learn(lambda inputs, rng: Counting(inputs), TRAIN, VAL, 0, schedule)
    assert len(steps) < 30


def test_itq_is_centred_on_train_alone():
    moved = replace(VAL, pooled=VAL.pooled + 3)
    codes = [PEERS["itq"].fit(TRAIN, val, CLASSES, 32, seed=0)(TEST) for val in (VAL, moved)]
    np.testing.assert_array_equal(*codes)


@pytest.mark.slow
def test_a_peer_that_trains_may_be_given_few_steps_and_says_how_it_trains():
    for name in TRAINED:
        brief = shortened(PEERS[name])
        assert schedules([brief])[name]["most"] < schedules([PEERS[name]])[name]["least"]
        assert brief.fit(TRAIN, VAL, CLASSES, 16, seed=0)(TEST).shape == (len(TEST), 2)
    assert schedules([shortened(PEERS[name]) for name in (*UNTRAINED, *FLOATS)]) == {}


def test_val_judges_only_by_classes_that_train_has():
    train = TRAIN.take(np.flatnonzero(TRAIN.labels < 2))
    choice = Choice.of(train, VAL, np.random.default_rng(0))
    assert set(choice.queries.labels) == {0, 1}
    assert choice.quality(lambda features: features.pooled) > 0.9
    nothing = Choice.of(train, VAL.take(np.flatnonzero(VAL.labels > 1)), np.random.default_rng(0))
    assert math.isnan(nothing.quality(lambda features: features.pooled))
