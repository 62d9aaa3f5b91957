"""Our model as a peer: its parts, its losses against plain loops, and that it learns from windows."""

import math
from typing import ClassVar

import numpy as np
import pytest
import torch

from benchmark.metrics.figures import macro, rank_metrics
from benchmark.peers import PEERS
from benchmark.peers.hmar.batches import Mixing, mixed_batches
from benchmark.peers.hmar.losses import balance, quantisation
from benchmark.peers.hmar.network import HmarImageNetwork, HmarSizes
from benchmark.peers.hmar.peer import Hmar, HmarNoKan, HmarNoRouter, HmarNoStage2
from benchmark.peers.hmar.settings import HmarTraining
from benchmark.peers.hmar.views import LATTICE, Viewer
from benchmark.types import Features
from hmar.training.losses.functional.centre import centre_loss

pytestmark = pytest.mark.slow

CLASSES, CHANNELS, SIDE, WIDE = 3, 4, 14, 12
SIZES = HmarSizes(hidden=16, intervals=3, order=2, scorer=8, drop=0.1)
BRIEF = HmarTraining(batch=48, windows=2, evaluations=2)


def images(count: int, seed: int) -> Features:
    """Pooled features that tell nothing, and maps with a bright patch whose channel is the class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    maps = rng.normal(0, 0.1, (count, CHANNELS, SIDE, SIDE)).astype(np.float16)
    for number, (row, column) in enumerate(rng.integers(0, SIDE - 5, (count, 2))):
        maps[number, labels[number], row : row + 5, column : column + 5] += 2
    return Features(
        pooled=rng.normal(0, 1, (count, WIDE)).astype(np.float32),
        maps=maps,
        thumbnails=rng.random((count, 1024), dtype=np.float32),
        labels=labels,
        groups=np.arange(count) // 2,
    )


TRAIN, VAL, TEST = images(120, 0), images(30, 1), images(60, 2)


class Brief(Hmar):
    """The whole model, small and soon done."""

    sizes: ClassVar[HmarSizes] = SIZES
    training: ClassVar[HmarTraining] = BRIEF


class BriefNoKan(Brief):
    kan: ClassVar[bool] = False


class BriefNoRouter(Brief):
    router: ClassVar[bool] = False


class BriefNoStage2(Brief):
    stage2: ClassVar[bool] = False


def fitted(peer: type[Brief], seed: int = 0, val: Features = VAL):
    return peer().fit(TRAIN, val, CLASSES, 16, seed)


def network(*, kan: bool = True, router: bool = True) -> HmarImageNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return HmarImageNetwork(*Viewer(TRAIN).widths, 16, kan=kan, router=router, sizes=SIZES).eval()


def test_it_finds_what_only_a_window_shows():
    describe = fitted(Brief)
    ranked = rank_metrics(describe(TEST), describe(TRAIN), TEST.labels, TRAIN.labels)
    assert macro(ranked.ap, TEST.labels) > 0.8


def test_the_same_seed_gives_the_same_codes_and_leaves_the_global_state_alone():
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    first, second, other = (fitted(Brief, seed)(TEST) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("variant", [BriefNoKan, BriefNoRouter, BriefNoStage2])
def test_a_variant_is_another_model_with_codes_of_the_same_length(variant):
    codes = fitted(variant)(TEST)
    assert codes.shape == (len(TEST), 2)
    assert not np.array_equal(codes, fitted(Brief)(TEST))


def test_variants_leave_out_what_their_names_say():
    parts = [(peer.kan, peer.router, peer.stage2) for peer in (Hmar, HmarNoKan, HmarNoRouter, HmarNoStage2)]
    assert parts == [(True, True, True), (False, True, True), (True, False, True), (True, True, False)]
    assert [PEERS[peer.name] for peer in (Hmar, HmarNoKan)][1].paper == Hmar.paper


def test_a_val_that_cannot_tell_is_no_obstacle():
    assert fitted(Brief, val=VAL.take(np.zeros(0, np.int64)))(TEST).shape == (len(TEST), 2)


def test_gates_and_attention_are_shares_and_codes_do_not_depend_on_the_batch():
    model, view = network(), Viewer(TRAIN)(TEST)
    with torch.no_grad():
        seen, alone = model(view.take(np.arange(8))), model(view.take(np.array([5])))
    assert seen.attention.shape == (8, sum(count**2 for _, count in LATTICE))
    torch.testing.assert_close(seen.attention.sum(dim=1), torch.ones(8))
    torch.testing.assert_close(seen.gate.sum(dim=1), torch.ones(8))
    torch.testing.assert_close(seen.whole.square().mean(dim=1), torch.ones(8))
    torch.testing.assert_close(alone.fused[0], seen.fused[5], rtol=1e-4, atol=1e-5)


def test_without_a_router_both_experts_count_the_same():
    with torch.no_grad():
        seen = network(router=False)(Viewer(TRAIN)(TEST).take(np.arange(4)))
    assert seen.gate.tolist() == [[0.5, 0.5]] * 4
    torch.testing.assert_close(seen.fused, (seen.whole + seen.local) / 2)


def test_a_mirrored_view_is_the_view_of_the_mirrored_map():
    viewer = Viewer(TRAIN)
    turned = Features(TEST.pooled, TEST.maps[..., ::-1], TEST.thumbnails, TEST.labels, TEST.groups)
    rows = np.arange(6)
    mirrored, direct = viewer(TEST).take(rows).mirrored(), viewer(turned).take(rows)
    torch.testing.assert_close(mirrored.windows, direct.windows, rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(mirrored.frame, direct.frame, rtol=1e-2, atol=1e-2)


def test_a_blend_keeps_the_share_that_it_is_told():
    view = Viewer(TRAIN)(TEST)
    one, other = view.take(np.array([0, 1])), view.take(np.array([2, 3]))
    blend = one.blend(other, torch.tensor([1.0, 0.25]))
    torch.testing.assert_close(blend.windows[0], one.windows[0])
    torch.testing.assert_close(blend.pooled[1], 0.25 * one.pooled[1] + 0.75 * other.pooled[1])


def test_a_mixed_batch_shares_its_labels_and_an_unmixed_one_does_not():
    view, rng = Viewer(TRAIN)(TRAIN), np.random.default_rng(0)
    made = {
        share: next(
            mixed_batches(view, TRAIN.labels, TRAIN.groups, CLASSES, 32, 1, Mixing(others=share), rng)
        )
        for share in (0.0, 1.0)
    }
    assert [made[share].mixed for share in made] == [False, True]
    assert set(made[0.0].target.flatten().tolist()) == {0.0, 1.0}
    assert 0 < made[1.0].target.max(dim=1).values.min() < 1
    torch.testing.assert_close(made[1.0].target.sum(dim=1), torch.ones(32))


RNG = np.random.default_rng(3)
LOGITS = torch.from_numpy(RNG.normal(size=(6, 8)).astype(np.float32))


def test_the_centre_loss_is_the_cross_entropy_to_shared_labels():
    directions = torch.nn.functional.normalize(torch.from_numpy(RNG.normal(size=(3, 8))).float(), dim=1)
    target = torch.tensor([[1.0, 0, 0], [0.7, 0.3, 0], [0, 0, 1], [0, 1, 0], [0, 0.5, 0.5], [1, 0, 0]])
    losses = centre_loss(LOGITS, target, directions, 8.0, 0.2)
    for u, shares, loss in zip(LOGITS.numpy(), target.numpy(), losses.tolist(), strict=True):
        scores = 8 * (directions.numpy() @ u / np.linalg.norm(u) - 0.2 * shares)
        expected = -sum(
            s * (score - math.log(np.exp(scores).sum())) for s, score in zip(shares, scores, strict=True)
        )
        assert loss == pytest.approx(expected, rel=1e-4)


def test_balance_and_quantisation_are_best_for_even_bits_at_one():
    even = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    assert balance(even).item() == quantisation(even).item() == 0
    assert balance(torch.ones(4, 2)).item() > 0.5
    assert quantisation(torch.zeros(4, 2)).item() == 1
