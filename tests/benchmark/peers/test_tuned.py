"""The peers that tune the backbone: how images vary, what is trained and what is not, and what it makes."""

import numpy as np
import pytest
import torch

from benchmark.accuracy.features import FeatureStore
from benchmark.accuracy.lite0 import FrozenLite0, untrained_lite0
from benchmark.accuracy.protocols import Task, make_task
from benchmark.accuracy.quick import write_quick
from benchmark.datasets import load_dataset
from benchmark.peers.hmar.batches import Mixing
from benchmark.peers.hmar.views import Viewer
from benchmark.peers.tuned.augment import ImageVariation, varied
from benchmark.peers.tuned.heads import ExpertsHead, OrthoHashHead
from benchmark.peers.tuned.network import TunedNetwork, read_images
from benchmark.peers.tuned.peer import HmarTuned, LinearTuned
from benchmark.peers.tuned.training import TunedTraining, draw_batch, tune
from benchmark.types import silent
from hmar.training.data.group_sampler import GroupSampler

pytestmark = pytest.mark.slow

STILL = ImageVariation(0, 0, 0, 0, 0, 0, 0, 0, 0, covered=0)
BRIEF = TunedTraining(passes=0, least=3, most=3, batch=8, warm_up=1, decided=0.5)
WIDTHS, CLASSES = (12, 18, 9), 4


@pytest.fixture(scope="module")
def backbone() -> FrozenLite0:
    return untrained_lite0()


@pytest.fixture(scope="module")
def task(backbone: FrozenLite0, tmp_path_factory: pytest.TempPathFactory) -> Task:
    folder = tmp_path_factory.mktemp("quick")
    write_quick(folder)
    store = FeatureStore(backbone, tmp_path_factory.mktemp("cache"))
    dataset = store.complete(load_dataset("manifest", folder, silent), silent)
    return make_task("clean", dataset, store, ())


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int) -> torch.Tensor:
    return torch.rand(count, 1, 40, 40, generator=generator(5))


def test_images_that_do_not_vary_are_as_they_were_or_mirrored():
    images = pictures(24)
    seen = varied(images, STILL, generator())
    same, mirrored = (
        torch.isclose(seen, other, atol=1e-4).flatten(1).all(dim=1) for other in (images, images.flip(-1))
    )
    assert (same | mirrored).all()
    assert same.any()
    assert mirrored.any()


def test_images_vary_each_by_itself_within_0_and_1_and_the_same_way_for_one_seed():
    images = pictures(1).expand(6, -1, -1, -1)
    seen = varied(images, ImageVariation(), generator(1))
    assert seen.shape == images.shape
    assert seen.min() >= 0
    assert seen.max() <= 1
    assert all(not torch.equal(seen[i], seen[j]) for i in range(6) for j in range(i))
    assert torch.equal(seen, varied(images, ImageVariation(), generator(1)))


def test_a_square_covers_half_of_the_images_and_no_more_of_them_than_a_third_of_the_side():
    seen = varied(
        torch.zeros(200, 1, 100, 100), ImageVariation(0, 0, 0, 0, 0, 0, 0, 0, 0, covered=1), generator()
    )
    covered = (seen[:, 0] > 0).flatten(1).sum(dim=1)
    assert 70 <= int((covered > 0).sum()) <= 130
    assert int(covered.max()) <= 32 * 32
    assert torch.unique(seen).tolist() == pytest.approx([0, 0.3])


def test_a_turned_image_is_turned():
    image = torch.zeros(1, 1, 41, 41)
    image[0, 0, 20, 4:37] = 1  # a line through the middle
    steep = varied(image, ImageVariation(60, 0, 0, 0, 0, 0, 0, 0, 0, covered=0), generator(3))
    rows = torch.nonzero(steep[0, 0] > 0.3)[:, 0]
    assert int(rows.max() - rows.min()) > 8


@pytest.mark.parametrize("head", [ExpertsHead, OrthoHashHead])
def test_both_lengths_of_a_classs_code_lie_far_from_those_of_other_classes(head):
    made = head(WIDTHS, CLASSES, (64, 128), np.random.default_rng(0))
    for bits in (64, 128):
        directions = made.directions(bits)
        assert directions.shape == (CLASSES, bits)
        assert directions @ directions.T == pytest.approx(np.eye(CLASSES), abs=1e-6)


def test_grey_images_are_read_as_one_channel_as_the_frozen_backbone_sees_them(
    task: Task, backbone: FrozenLite0
):
    images = read_images(task.train.paths[:3])
    assert images.shape == (3, 1, 224, 224)
    pooled, _ = backbone.describe(images.expand(-1, 3, -1, -1).numpy())
    assert pooled == pytest.approx(task.train.pooled[:3], abs=1e-4)


def test_paths_go_with_the_rows_that_are_taken(task: Task):
    rows = np.array([4, 0])
    assert task.train.take(rows).paths == (task.train.paths[4], task.train.paths[0])


def tuned(task: Task, backbone: FrozenLite0, head: type, seed: int = 0):
    return tune(
        backbone.network(),
        head,
        task.train,
        task.learnt,
        (8, 16),
        seed,
        BRIEF,
        Mixing(),
        ImageVariation(),
        lambda done, total: None,
    )


@pytest.mark.parametrize("head", [ExpertsHead, OrthoHashHead])
def test_what_lies_behind_the_stem_is_trained_and_the_stem_stays_as_it_was(task, backbone, head):
    network, before = tuned(task, backbone, head), backbone.network()
    behind = {id(weights) for module in network.backbone.behind_stem() for weights in module.parameters()}
    pairs = list(zip(network.backbone.parameters(), before.parameters(), strict=True))
    moved = [not torch.equal(now, then) for now, then in pairs]
    assert moved == [id(now) in behind for now, _ in pairs]
    assert any(moved)
    assert not all(moved)


def test_a_training_is_the_same_for_one_seed_and_another_for_another(task, backbone):
    first, again, other = (tuned(task, backbone, ExpertsHead, seed) for seed in (0, 0, 1))
    images = read_images(task.queries.paths[:4])
    with torch.no_grad():
        logits = [network.eval()(images) for network in (first, again, other)]
    assert torch.allclose(logits[0], logits[1], atol=1e-2)  # sums are added up in another order now and then
    assert not torch.allclose(logits[0], logits[2], atol=1e-2)


@pytest.mark.parametrize("peer_class", [HmarTuned, LinearTuned])
def test_one_training_makes_both_lengths_and_the_short_code_begins_the_long_one(task, backbone, peer_class):
    asked = []

    def build():
        asked.append(1)
        return backbone.network()

    told = []
    peer = peer_class(build, lambda *said: told.append(said))
    peer.training = BRIEF
    short, long = (peer.fit(task.train, task.val, task.learnt, bits, 0)(task.queries) for bits in (64, 128))
    assert len(asked) == 1
    assert short.shape == (len(task.queries), 8)
    assert np.array_equal(short, long[:, :8])
    assert len(np.unique(long, axis=0)) > 1
    assert told == [
        *((f"{peer.name} with seed 0", done, 3) for done in (1, 2, 3)),
        (f"{peer.name} with seed 0 on 24 images", 24, 24),
    ]
    peer.fit(task.train, task.val, task.learnt, 64, 1)
    assert len(asked) == 2
    peer.fit(task.train.take(np.arange(20)), task.val, task.learnt, 64, 1)  # another protocol's side
    assert len(asked) == 3


def test_the_number_of_steps_follows_the_images():
    assert TunedTraining().steps(4910) == 6 * 52
    assert TunedTraining().steps(10) == TunedTraining().least
    assert TunedTraining().steps(10**7) == TunedTraining().most


def test_a_network_sees_images_as_the_frozen_backbone_does_until_it_is_trained(task, backbone):
    viewer = Viewer(task.train)
    network = TunedNetwork(
        backbone.network(), viewer, ExpertsHead(viewer.widths, 4, (8,), np.random.default_rng(0))
    )
    with torch.no_grad():
        now = network.view(read_images(task.queries.paths))
    then = viewer(task.queries)
    for name in ("pooled", "frame", "windows"):
        assert getattr(now, name) == pytest.approx(getattr(then, name).float(), abs=0.02)


def test_the_second_half_of_a_batch_are_mates_of_the_first(task, backbone):
    viewer, rng = Viewer(task.train), np.random.default_rng(0)
    network = TunedNetwork(backbone.network(), viewer, OrthoHashHead(viewer.widths, 4, (8,), rng))
    sampler = GroupSampler(task.train.labels, task.train.groups)
    batch = draw_batch(network, task.train, 4, sampler, rng, generator(), BRIEF, Mixing(), STILL)
    assert torch.equal(batch.labels[:4], batch.labels[4:])
    assert not torch.equal(batch.groups[:4], batch.groups[4:])


def test_a_batch_norm_has_seen_images_as_they_are(task, backbone):
    network = tuned(task, backbone, OrthoHashHead)
    norm = network.head.head[1]
    with torch.no_grad():
        logits = network.head.head[0](network.view(read_images(task.train.paths)).pooled)
    assert norm.running_mean == pytest.approx(logits.mean(dim=0), abs=1e-3)
