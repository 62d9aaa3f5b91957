"""Which losses count, whom their gradients reach, and that gates weigh the right expert."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.model.network import HmarNetwork
from hmar.model.router import Routing
from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import ImageLabels
from hmar.training.data.pairs import PairBatch, PairConfig, PairSampler
from hmar.training.data.render import CANVAS_CELLS
from hmar.training.data.volumes import Volume
from hmar.training.heads.kan_layer import TrainableKAN
from hmar.training.losses.functional.contrastive import contrastive
from hmar.training.losses.functional.nested import NESTED_BITS
from hmar.training.losses.objective import Objective
from hmar.training.losses.registry import LOSSES
from tests.hmar.training.tiny import NETWORK, scan, views_of

pytestmark = pytest.mark.usefixtures("tiny_backbone_is_known")

CONFIG = TrainingConfig(feature_drop=0.0, tag_drop=0.0)
PAIRS = PairConfig(views=4, windows=5)
NOTHING = {"structure_weight": 0.0, "structure_contrast": 0.0}


def volumes() -> list[Volume]:
    """Return two scans with labels of all kinds: the left half is one structure, the right another."""
    structures = np.zeros((6, 72, 72), np.int16)
    structures[:, :, 36:] = 1
    named = [np.array([0, 0, 0, 1, 1, 1]), np.array([1, 1, 1, 0, 0, 0])]
    return [
        scan(f"ct {v}", labels=structures, image_labels=labels, patient=f"{v}")
        for v, labels in enumerate(named)
    ]


class FixedRouter(nn.Module):
    """Gives every image one gate, from logits that may be trained."""

    def __init__(self, *gate: float) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(gate).log())

    def forward(self, maps: torch.Tensor, modality: torch.Tensor, region: torch.Tensor) -> Routing:
        gate = self.logits.softmax(dim=0).expand(len(maps), -1)
        return Routing(maps.new_zeros(len(maps), 5), maps.new_zeros(len(maps), 6), gate)


class Case:
    """An objective on a batch of a small network, with everything that its gradients may reach."""

    def __init__(
        self,
        config: TrainingConfig = CONFIG,
        volumes: list[Volume] | None = None,
        router: nn.Module | None = None,
    ) -> None:
        torch.manual_seed(0)
        data = VOLUMES if volumes is None else volumes
        views, rng = views_of(data), np.random.default_rng(0)
        self.network = HmarNetwork(NETWORK, kan=TrainableKAN)
        if router is not None:
            self.network.router = router  # type: ignore[assignment]
        labels = ImageLabels.of(views, data, config)
        device = torch.device("cpu")
        self.objective = Objective(self.network, config, views, data, labels, rng, device)
        self.batch: PairBatch = PairSampler(views, data, PAIRS, rng, labels=labels).draw()
        self.maps = torch.rand(8, NETWORK_CHANNELS, CANVAS_CELLS, CANVAS_CELLS, requires_grad=True)

    def losses(self, *, regions: bool) -> dict[str, torch.Tensor]:
        torch.manual_seed(1)
        return self.objective.losses(self.maps, self.batch, regions=regions)

    def reached(self, loss: torch.Tensor) -> set[str]:
        """Return the parts that a loss has a gradient for that is not all 0."""
        parts = {
            "backbone": [self.maps],
            "global": [*self.network.global_expert.parameters()],
            "local": [*self.network.local_expert.parameters()],
            "router": [*self.network.router.parameters()],
        }
        if "labels" in self.objective.weights(regions=True):
            parts["attention"] = [*self.objective.modules(regions=True)[-1].parameters()]
        flat = [tensor for tensors in parts.values() for tensor in tensors if tensor.requires_grad]
        found = torch.autograd.grad(loss, flat, retain_graph=True, allow_unused=True)
        gradients = dict(zip(map(id, flat), found, strict=True))
        return {
            part
            for part, tensors in parts.items()
            if any((of := gradients.get(id(tensor))) is not None and bool(of.any()) for tensor in tensors)
        }


VOLUMES = volumes()
NETWORK_CHANNELS = 16
BARE = [replace(volume, labels=None, image_labels=None, patient=None) for volume in VOLUMES]
UNTAGGED = [replace(volume, modality="OT", regions=np.full(6, -1)) for volume in BARE]

WHOLE_IMAGES = {"codes", "modality", "region", "image"}
REGIONS = {"codes", "modality", "region", "gate_entropy", "gated", "structures"}


@pytest.mark.slow
@pytest.mark.parametrize(("data", "regions", "names"), [
    (BARE, False, WHOLE_IMAGES),
    (BARE, True, REGIONS),
    (VOLUMES, False, WHOLE_IMAGES | {"labels", "gate_entropy"}),
    (VOLUMES, True, REGIONS | {"labels"}),
    (UNTAGGED, False, {"codes", "image"}),
    (UNTAGGED, True, REGIONS - {"modality", "region"}),
])  # fmt: skip
def test_the_losses_of_a_stage_are_those_that_the_data_allow(data, regions, names):
    assert set(Case(volumes=data).losses(regions=regions)) == names


@pytest.mark.slow
def test_losses_are_reported_in_the_order_of_the_registry():
    case = Case()
    found = [list(case.losses(regions=regions)) for regions in (False, True)]
    assert all(names == [name for name in LOSSES if name in names] for names in found)
    assert set().union(*found) == set(LOSSES)


OFF = {
    "codes": {"bit_weight": 0.0},
    "gate_entropy": {"gate_entropy_weight": 0.0},
    "gated": {"place_weight": 0.0},
    "structures": NOTHING,
    "labels": NOTHING,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OFF)
def test_a_loss_counts_where_its_weight_is_above_0_and_changes_no_other(name):
    on, off = Case(), Case(replace(CONFIG, **OFF[name]))
    found, without = on.losses(regions=True), off.losses(regions=True)
    assert name in found
    assert name in on.objective.weights(regions=True)
    assert name not in without
    assert name not in off.objective.weights(regions=True)
    if OFF[name] is not NOTHING:  # labels that nothing is learnt from also do not keep images together
        assert all(torch.equal(value, found[other]) for other, value in without.items())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "field"), [
    ("codes", "bit_weight"), ("gate_entropy", "gate_entropy_weight"), ("gated", "place_weight"),
])  # fmt: skip
def test_a_loss_is_in_proportion_to_its_weight(name, field):
    once, twice = (
        Case(replace(CONFIG, **{field: weight})).losses(regions=True)[name] for weight in (0.25, 0.5)
    )
    assert twice.item() == pytest.approx(2 * once.item(), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["structures", "labels"])
def test_losses_on_labels_are_weighted_sums_of_centres_and_contrast(name):
    both, centres, contrast = (
        Case(replace(CONFIG, structure_weight=weight, structure_contrast=share))
        .losses(regions=True)[name]
        .item()
        for weight, share in ((2.0, 3.0), (1.0, 0.0), (0.0, 1.0))
    )
    assert both == pytest.approx(2 * centres + 3 * contrast, rel=1e-4)
    assert min(centres, contrast) > 0


REACHED = {
    "codes": {"global", "local", "backbone"},
    "modality": {"router"},
    "region": {"router"},
    "gate_entropy": {"router"},
    "labels": {"global", "local", "router", "attention", "backbone"},
    "image": {"global", "backbone"},
    "gated": {"global", "local", "router", "backbone"},
    "structures": {"local", "backbone"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_reach_what_a_loss_trains_and_nothing_else(name):
    case = Case()
    losses = case.losses(regions=name != "image")
    assert case.reached(losses[name]) == REACHED[name]


@pytest.mark.slow
def test_whole_images_alone_leave_the_local_expert_as_it_is():
    case = Case(volumes=BARE)
    total = torch.stack(list(case.losses(regions=False).values())).sum()
    assert case.reached(total) == {"global", "router", "backbone"}
    assert case.network.local_expert not in case.objective.modules(regions=False)
    assert case.network.local_expert in case.objective.modules(regions=True)
    labelled = Case()  # labels reach it there too
    assert labelled.network.local_expert in labelled.objective.modules(regions=False)


@pytest.mark.slow
@pytest.mark.parametrize(("gate", "reached"), [((1.0, 0.0), "global"), ((0.0, 1.0), "local")])
def test_each_gate_weighs_the_loss_of_its_own_expert(gate, reached):
    for name, config in (("gated", CONFIG), ("labels", replace(CONFIG, structure_contrast=0.0))):
        case = Case(config, router=FixedRouter(*gate))
        assert case.reached(case.losses(regions=True)[name]) & {"global", "local"} == {reached}, name


@pytest.mark.slow
def test_the_gated_loss_is_each_experts_loss_over_its_running_mean_weighted_by_the_gate():
    case = Case(replace(CONFIG, place_weight=0.75), router=FixedRouter(0.8, 0.2))
    found, means, levels = [], [], []
    for share in (1.0, 0.5):  # codes that say less: losses change, and their running means follow slowly
        with torch.no_grad():
            case.maps.mul_(share)
        means.append(case.losses(regions=False)["image"].item())
        found.append(case.losses(regions=True)["gated"].item())
        levels.append({name: level.item() for name, level in case.objective.state()["level"].items()})
    # In the first batch each loss is its own mean, so that the gate has nothing to tell apart.
    assert found[0] == pytest.approx(2 * 0.75 * (0.8 + 0.2), rel=1e-5)
    assert levels[0]["image"] == pytest.approx(means[0], rel=1e-5)
    assert levels[1]["image"] == pytest.approx(0.98 * means[0] + 0.02 * means[1], rel=1e-5)
    windows = (levels[1]["region"] - 0.98 * levels[0]["region"]) / 0.02
    relative = 0.8 * means[1] / levels[1]["image"] + 0.2 * windows / levels[1]["region"]
    assert found[1] == pytest.approx(2 * 0.75 * relative, rel=1e-4)
    assert found[1] != pytest.approx(found[0], rel=1e-3)


@pytest.mark.slow
def test_a_more_even_gate_costs_less():
    even, tilted = (
        Case(router=FixedRouter(p, 1 - p)).losses(regions=True)["gate_entropy"].item() for p in (0.5, 0.9)
    )
    assert even == pytest.approx(-CONFIG.gate_entropy_weight * np.log(2), rel=1e-5)
    assert even < tilted < 0


@pytest.mark.slow
def test_a_step_against_the_gradient_makes_the_gate_more_even():
    router = FixedRouter(0.9, 0.1)
    case = Case(router=router)
    (gradient,) = torch.autograd.grad(case.losses(regions=True)["gate_entropy"], router.logits)
    before, after = (
        float(logits.detach().softmax(dim=0)[0]) for logits in (router.logits, router.logits - gradient)
    )
    assert 0.5 < after < before


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 0.25])
def test_the_loss_on_places_is_shared_between_the_short_code_and_the_whole(share):
    case = Case(replace(CONFIG, short_share=share), volumes=BARE)
    with torch.no_grad():
        logits = case.network.global_expert(case.maps)
    negative = ~torch.eye(4, dtype=torch.bool)
    batch = replace(case.batch, first=np.array([0, 12, 5, 17]), second=np.array([0, 12, 5, 17]))
    case.batch = batch  # two slices of each scan, 6 mm apart: only those of different scans may be pushed
    scans = torch.tensor([0, 1, 0, 1])
    negative = scans[:, None] != scans
    short, whole = (
        contrastive(*logits[:, :bits].chunk(2), negative, CONFIG.temperature).mean() for bits in NESTED_BITS
    )
    expected = share * short + (1 - share) * whole
    found = case.losses(regions=False)["image"].detach()
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
    assert float(found) != pytest.approx(float(short), rel=1e-5)


@pytest.mark.slow
def test_an_objective_goes_on_where_its_state_was_taken():
    case, other = Case(), Case()
    case.losses(regions=True)
    with torch.no_grad():
        case.maps.mul_(0.5)
        other.maps.mul_(0.5)
    other.objective.restore(case.objective.state())
    one, same = case.losses(regions=True), other.losses(regions=True)
    assert all(torch.equal(value, same[name]) for name, value in one.items())
    fresh = Case()
    with torch.no_grad():
        fresh.maps.mul_(0.5)
    assert not torch.equal(fresh.losses(regions=True)["gated"], one["gated"])
