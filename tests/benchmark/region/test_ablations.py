"""Ours without one of its parts: every variant goes through the whole protocol, and lacks what it says."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from benchmark.layers import MatrixLayer, MlpLayer
from benchmark.region import networks, run
from benchmark.region.ablations.one_window import OneWindowBackbone
from benchmark.region.ablations.table import ABLATIONS
from benchmark.region.ablations.variant import OURS
from benchmark.region.features import hmar_feature
from benchmark.region.networks import VIEWS, trained_network
from benchmark.region.peers import select_region_peers
from benchmark.region.planes import planes_of
from hmar.errors import ParameterError
from hmar.image.grid import HU_DISPLAY_WINDOWS
from hmar.model.backbones.efficientnet_lite0 import BlurredStride, Lite0Backbone, fold_batch_norm
from hmar.model.config import NetworkConfig
from hmar.model.kan import FoldedKAN
from hmar.model.network import HmarNetwork
from hmar.training.config import PRESETS
from hmar.training.heads.kan_layer import TrainableKAN
from tests.benchmark.region.ct_volumes import quiet, volume, whole_root

pytestmark = pytest.mark.slow

VARIANTS = {variant.name: variant for variant in (OURS, *ABLATIONS)}
BRIEF = replace(
    PRESETS["quick"],
    initial_batches=2,
    pairs=2,
    windows=16,
    image_steps=1,
    region_steps=2,
    settle_pairs=2,
    settle_steps=1,
)
FEW_VIEWS = 2


class Trained:
    """Ours and its variants, trained on one volume and kept."""

    def __init__(self, kept):
        torch.set_num_threads(1)
        torch.manual_seed(0)
        self.published = Lite0Backbone().eval().requires_grad_(False)
        self.volume = volume("a", 0)
        self.plane = planes_of(self.volume, self.published, quiet)[0]
        self._kept = kept
        for name in VARIANTS:
            self._train(name, self.volume, quiet)

    def _train(self, name, labelled, progress) -> HmarNetwork:
        return trained_network(
            labelled, self.published, self._kept, progress, BRIEF, FEW_VIEWS, VARIANTS[name]
        )

    def network(self, name: str, labelled=None) -> HmarNetwork:
        """Return a network that is kept; where there is none it would be trained, which is an error."""

        def trains(what: str, _done: int, _total: int) -> None:
            raise AssertionError(f"trained: {what}")

        return self._train(name, self.volume if labelled is None else labelled, trains)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return Trained(tmp_path_factory.mktemp("ablations"))


@pytest.fixture
def given(monkeypatch):
    """What training is given, in place of training."""
    calls = []

    def train_network(volumes, backbone, plan, _progress, *, build):
        calls.append((volumes[0], backbone, plan))
        return build(NetworkConfig()).eval()

    monkeypatch.setattr(networks, "train_network", train_network)
    return calls


def layers(network: HmarNetwork) -> list[torch.nn.Module]:
    return [network.global_expert.head.kan, network.local_expert.head.kan]


def test_every_variant_has_rows_of_one_shape_that_say_how_it_was_trained(trained, monkeypatch, tmp_path):
    asked = []

    def kept_network(labelled, _backbone, _folder, _progress, config, *, variant, others):
        asked.append((variant.name, labelled.name))
        assert config == BRIEF
        return trained.network(variant.name)

    monkeypatch.setattr(run, "trained_network", kept_network)
    rows = run.run_region(
        *(whole_root(tmp_path), ["ablations"], [64], quiet, lambda: trained.published, tmp_path),
        phantoms=1,
        training=BRIEF,
    )
    assert asked == [(name, side) for name in VARIANTS for side in ("lidc", "ts")]
    assert [(row["name"], row["direction"]) for row in rows] == [
        (name, direction) for name in VARIANTS for direction in ("lidc->ts", "ts->lidc", "mean", "people")
    ]
    assert len({(row["direction"] == "people", tuple(row)) for row in rows}) == 2
    for row in rows:
        variant = VARIANTS[row["name"]]
        said = {"seed": [BRIEF.seed], "views": VIEWS, "variant": row["name"]}
        assert row["training"] == asdict(variant.settings(BRIEF)) | said
        assert row["what"] == variant.what
        assert ("without its labels" in row["note"]) == (row["name"] == "hmar-no-labels")
        assert 0 < row["macro_map"] <= 1
        assert row["gallery_learnt_from"] is False


def test_every_variant_is_kept_under_a_name_of_its_own_and_describes_as_none_of_the_others(trained):
    described = {
        hmar_feature(trained.network(name))(trained.plane, *trained.plane.window_lattice(3), 3).tobytes()
        for name in VARIANTS
    }
    assert len(described) == len(VARIANTS)


def test_ablations_are_ours_and_its_variants_and_no_part_of_all():
    assert [peer.name for peer in select_region_peers(["ablations"])] == list(VARIANTS)
    assert not {peer.name for peer in select_region_peers(["all"])} & {variant.name for variant in ABLATIONS}
    assert [peer.name for peer in select_region_peers(["hmar-mlp", "random"])] == ["random", "hmar-mlp"]
    with pytest.raises(
        ParameterError, match=r"hmar-no-nothing are not known here\..*, or all, or ablations\."
    ):
        select_region_peers(["hmar-no-nothing"])


def test_one_window_shows_all_channels_the_widest_display_window(trained):
    widest = int(np.argmax([width for _, width in HU_DISPLAY_WINDOWS]))
    image = torch.rand(1, 3, 64, 64)
    others = torch.rand(1, 3, 64, 64)
    others[:, widest] = image[:, widest]
    ours, one = (trained.network(name) for name in ("hmar", "hmar-one-window"))
    seen = one.backbone.normalise(image)
    assert torch.equal(seen, ours.backbone.normalise(image)[:, [widest] * 3])
    assert torch.equal(one(image), one(others))
    assert not torch.equal(ours(image), ours(others))


def test_one_window_is_also_what_is_trained_on(trained, given, tmp_path):
    for name in ("hmar", "hmar-one-window"):
        trained_network(trained.volume, trained.published, tmp_path, quiet, variant=VARIANTS[name])
    ours, one = (backbone for _, backbone, _ in given)
    assert ours is trained.published
    assert isinstance(one, OneWindowBackbone)
    published = trained.published.state_dict()
    assert all(torch.equal(published[key], value) for key, value in one.state_dict().items())


def test_the_last_strides_of_the_smooth_variant_lie_behind_blurs_and_those_of_ours_do_not(trained):
    backbones = [trained.network(name).backbone for name in ("hmar-smooth", "hmar")]
    blurred = [
        [name for name, module in backbone.named_modules() if isinstance(module, BlurredStride)]
        for backbone in backbones
    ]
    assert blurred == [["_blocks.3.blur", "_blocks.5.blur"], []]


@pytest.mark.parametrize(("name", "same"), [("hmar-no-cells", True), ("hmar", False)])
def test_without_cells_the_arrangement_of_a_windows_parts_does_not_matter(trained, name, same):
    expert = trained.network(name).local_expert
    parts = torch.randn(5, 64, 9)
    permuted = parts[:, :, torch.randperm(9)]
    logits, others = expert(parts.flatten(1)), expert(permuted.flatten(1))
    assert torch.allclose(logits, others, atol=1e-4) == same
    assert not torch.allclose(logits, expert(torch.randn(5, 64 * 9)), atol=1e-4)


@pytest.mark.parametrize(("name", "layer"), [("hmar-no-kan", MatrixLayer), ("hmar-mlp", MlpLayer)])
def test_variants_without_kan_have_none_in_training_or_after(trained, name, layer):
    for network in (trained.network(name), VARIANTS[name].build(NetworkConfig())):
        assert [type(last) for last in layers(network)] == [layer, layer]
        assert not any(isinstance(module, TrainableKAN | FoldedKAN) for module in network.modules())


def test_the_mlp_is_about_as_heavy_as_what_it_stands_for():
    ours, mlp = (VARIANTS[name].build(NetworkConfig()) for name in ("hmar", "hmar-mlp"))
    for kan, other in zip(layers(ours), layers(mlp), strict=True):
        learnt, heavy = (
            sum(parameter.numel() for parameter in layer.parameters() if parameter.requires_grad)
            for layer in (kan, other)
        )
        assert heavy == pytest.approx(learnt, rel=0.01)


@pytest.mark.parametrize("layer", [MatrixLayer, MlpLayer])
def test_what_stands_for_a_kan_layer_starts_as_the_same_linear_map(layer):
    weight, x = torch.randn(24, 16), torch.randn(50, 24)
    made = layer(24, 16, 5, 3)
    made.set_linear(weight)
    assert torch.allclose(made(x), x @ weight, atol=1e-4)


def test_without_a_router_both_experts_weigh_the_same_and_the_gate_learns_nothing(trained):
    maps, unknown = torch.randn(4, 112, 6, 6), torch.full((4,), -1)
    equal = torch.full((4, 2), 0.5)
    for name, same in (("hmar-no-router", True), ("hmar", False)):
        network = trained.network(name)
        assert torch.equal(network.router(maps, unknown, unknown).gate, equal) == same
        torch.manual_seed(BRIEF.seed)
        before = VARIANTS[name].build(NetworkConfig())
        assert torch.equal(before.router.gate.weight, network.router.gate.weight) == same
        assert not torch.equal(before.local_expert.project.weight, network.local_expert.project.weight)


def test_without_labels_the_network_is_the_same_whatever_they_are(trained):
    other = replace(trained.volume, labels=np.zeros_like(trained.volume.labels))
    trained.network("hmar-no-labels", other)
    with pytest.raises(AssertionError, match="trained: "):
        trained.network("hmar", other)


def test_without_labels_nothing_labelled_reaches_training(trained, given, tmp_path):
    variant = VARIANTS["hmar-no-labels"]
    trained_network(trained.volume, trained.published, tmp_path, quiet, BRIEF, variant=variant)
    ((learnt, _, plan),) = given
    assert learnt.labels is None
    assert plan.config == replace(BRIEF, place_weight=BRIEF.structure_weight)


def test_without_stage_2_the_windows_expert_is_as_training_starts(trained, given, tmp_path):
    variant = VARIANTS["hmar-no-stage2"]
    trained_network(trained.volume, trained.published, tmp_path, quiet, BRIEF, variant=variant)
    ((_, _, plan),) = given
    assert plan.config == replace(BRIEF, region_steps=0, settle_steps=0)
    assert plan.config.image_steps > 0


@pytest.mark.parametrize(("name", "same"), [("hmar-frozen", True), ("hmar", False)])
def test_a_frozen_backbone_stays_as_it_was_published(trained, name, same):
    published = fold_batch_norm(trained.published).state_dict()
    after = trained.network(name).backbone.state_dict()
    assert all(torch.equal(published[key], value) for key, value in after.items()) == same
