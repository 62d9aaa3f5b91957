"""Training on new views: the same for any number of workers, resumable, and without a wait for a GPU."""

from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.model.backbones.base import fold_batch_norm
from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone
from hmar.training import sources, trainer
from hmar.training.data.fresh import FreshBatches
from hmar.training.data.pairs import PairSampler
from hmar.training.data.views import slice_views
from hmar.training.loop import Loop
from hmar.training.sources import Fresh, FreshSource
from hmar.training.stages import Stage
from tests.hmar.training.tiny import (
    CONFIG,
    PAIRS,
    PITCH_MM,
    as_read,
    fresh_trainer_of,
    plain_volumes,
    scan,
    trainer_of,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("tiny_backbone_is_known"),
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),
]


def volumes_with_structures():
    structures = np.zeros((6, 72, 72), np.int16)
    structures[:, :, 36:] = 1
    return [scan("a", labels=structures), scan("b")]


@pytest.fixture(scope="module")
def run(tiny_backbone_is_known):
    steps, states = [], []
    made = fresh_trainer_of(plain_volumes())
    network = made.run(steps.append, keep=lambda state: states.append(as_read(state)))
    return network.state_dict(), steps, states


def test_workers_change_no_weight(run):
    again = fresh_trainer_of(plain_volumes(), workers=1).run(lambda step: None).state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in run[0].items())


def test_a_run_on_new_views_goes_on_as_if_it_had_not_been_interrupted(run):
    steps = []
    again = fresh_trainer_of(plain_volumes(), workers=1).run(steps.append, state=run[2][1])
    expected = run[1][-len(steps) :]
    assert [step.losses for step in steps] == [pytest.approx(step.losses, rel=1e-4) for step in expected]
    assert all(torch.allclose(tensor, again.state_dict()[name], atol=1e-4) for name, tensor in run[0].items())


def test_new_views_are_other_views_than_those_that_are_kept(run):
    kept = []
    trainer_of(plain_volumes()).run(kept.append)
    assert [step.losses["total"] for step in kept] != [step.losses["total"] for step in run[1]]
    assert all(0 <= step.wait_ms <= step.step_ms for step in run[1])


@pytest.mark.filterwarnings("ignore:.*copying from a non-meta parameter")
@pytest.mark.parametrize("make", [
    lambda: fresh_trainer_of(volumes_with_structures(), device="meta"),
    lambda: trainer_of(volumes_with_structures(), device="meta"),
])  # fmt: skip
def test_a_step_reads_nothing_from_the_device_and_computes_everything_on_it(make, monkeypatch):
    # Tensors of the device "meta" hold nothing: an operation that mixes devices is refused there, as it is on
    # a GPU, and so is every look at a value, for which the processor would have to wait for a GPU.
    monkeypatch.setattr(trainer, "initialise", lambda *_, **__: None)
    made = make()
    loop = Loop(made.network, CONFIG, torch.device("meta"))
    for stage in filter(lambda stage: stage.on_views, Stage):
        work = made._work(stage)
        parts = loop.parts(work)
        for batch in work.batches(range(1, 3)):
            losses = loop._step(parts, work, batch, 1)
            assert {loss.device.type for loss in losses.values()} == {"meta"}
    with pytest.raises(RuntimeError, match="meta"):
        float(losses["total"])


def test_half_precision_in_the_backbone_changes_its_features_by_little(monkeypatch):
    torch.manual_seed(0)
    backbone = Lite0Backbone().eval().requires_grad_(False)
    noise = np.random.default_rng(0).normal(0, 300, (4, 200, 200)).astype(np.int16)
    volumes = [replace(scan("noise", slices=4), values=noise)]
    slices = slice_views(volumes, PITCH_MM, lambda done, total: None)
    sampler = PairSampler(slices, volumes, PAIRS, np.random.default_rng(0))
    batch = FreshBatches(sampler, slices, volumes, PITCH_MM, (0, 2), 1, regions=True)[1]
    fresh = Fresh(slices, np.arange(4), fold_batch_norm(backbone), PITCH_MM, 0)
    source = FreshSource(sampler, fresh, volumes, CONFIG, torch.device("cpu"))
    with torch.no_grad():
        exact = source.maps(batch, backbone)
        monkeypatch.setattr(sources, "mixed_precision", lambda _: torch.autocast("cpu", torch.bfloat16))
        rough = source.maps(batch, backbone)
    assert rough.dtype == torch.float32
    assert not torch.equal(rough, exact)
    assert float((rough - exact).norm() / exact.norm()) < 0.02
