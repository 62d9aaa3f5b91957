"""The loop over stages and steps, on a network that trains in milliseconds."""

from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.training.loop import Loop
from hmar.training.reports import Step
from hmar.training.stages import Stage
from hmar.training.trainable import trainable_network
from hmar.training.trainer import Trainer
from hmar.training.validation.places import Validation
from tests.hmar.training.tiny import (
    CONFIG,
    NETWORK,
    as_read,
    labelled_volumes,
    plain_volumes,
    scan,
    tiny_backbone,
    trainer_of,
)

pytestmark = pytest.mark.usefixtures("tiny_backbone_is_known")
STEPS = [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (3, 3)]
LABELLED = [*STEPS, (4, 1), (4, 2), (4, 3)]

Run = tuple[Trainer, list[Step], list[dict[str, object]]]


def run_of(trainer: Trainer) -> Run:
    steps: list[Step] = []
    states: list[dict[str, object]] = []
    trainer.run(steps.append, keep=lambda state: states.append(as_read(state) | {"reported": len(steps)}))
    return trainer, steps, states


def parameters(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in trainer.network.state_dict().items()}


def moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    """Return the first parts of the names of tensors that differ."""
    return {name.split(".")[0] for name, tensor in before.items() if not torch.equal(tensor, after[name])}


@pytest.fixture(scope="module")
def run(tiny_backbone_is_known) -> Run:
    return run_of(trainer_of(plain_volumes()))


@pytest.fixture(scope="module")
def labelled_run(tiny_backbone_is_known) -> Run:
    return run_of(trainer_of(labelled_volumes()))


@pytest.mark.slow
def test_all_stages_report_every_step_with_finite_losses(run):
    steps = run[1]
    assert [(step.stage, step.number) for step in steps] == STEPS
    assert all(np.isfinite(list(step.losses.values())).all() for step in steps)
    assert "gated" in steps[-1].losses


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(run):
    again = trainer_of(plain_volumes()).run(lambda step: None).state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in run[0].network.state_dict().items())


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_resumed_run_goes_on_as_if_it_had_not_been_interrupted(after, run):
    steps: list[Step] = []
    trainer_of(plain_volumes()).run(steps.append, state=run[2][after])
    expected = run[1][-len(steps) :]
    assert [(step.stage, step.number) for step in steps] == [(s.stage, s.number) for s in expected]
    for step, other in zip(steps, expected, strict=True):
        assert step.losses == pytest.approx(other.losses, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("written_on", "device"), [("cpu", "cuda"), ("cuda", "cpu")])
def test_a_state_of_another_device_has_no_random_state_of_this_one_and_is_taken_up(run, written_on, device):
    states = {"cpu": None, "cuda": torch.zeros(16, dtype=torch.uint8)}
    made = trainer_of(plain_volumes())
    # Nothing is on a GPU here: only what the state of a generator is set on is another device.
    loop = Loop(made.network, CONFIG, torch.device("cpu"))
    parts = replace(loop.parts(made._work(Stage.REGIONS)), device=torch.device(device))
    progress = parts.restore(run[2][1] | {"cuda": states[written_on]})
    assert progress.step == run[2][1]["step"]
    assert all(
        torch.equal(tensor, made.network.state_dict()[name]) for name, tensor in run[2][1]["network"].items()
    )


@pytest.mark.slow
def test_a_step_is_reported_before_the_checkpoint_that_it_is_in(run):
    for state in run[2]:
        step = run[1][state["reported"] - 1]
        assert (step.stage, step.number) == (state["stage"], state["step"])


@pytest.mark.slow
def test_a_stage_that_had_ended_early_is_not_taken_up_again(run):
    ended = run[2][1] | {"waited": CONFIG.patience}
    assert (ended["stage"], ended["step"]) == (2, 2)
    steps: list[Step] = []
    trainer_of(plain_volumes()).run(steps.append, state=ended)
    assert [(step.stage, step.number) for step in steps] == [(3, 1), (3, 2), (3, 3)]


@pytest.mark.slow
def test_stage_3_gives_up_nothing_that_was_better(monkeypatch):
    trainer = trainer_of(plain_volumes())
    before = parameters(trainer)
    looks = iter([0.9, 0.2, 0.3])
    monkeypatch.setattr(Validation, "measure", lambda *_: next(looks))
    after = trainer.run(lambda step: None, (Stage.EXPERTS,)).state_dict()
    assert not moved(before, after)


def test_the_tail_of_the_backbone_learns_and_its_stem_does_not(run):
    assert moved(tiny_backbone().state_dict(), run[0].network.backbone.state_dict()) == {"last"}


@pytest.mark.slow
def test_stage_3_trains_all_but_the_backbone(run):
    before = trainer_of(plain_volumes()).run(lambda step: None, (Stage.IMAGES, Stage.REGIONS)).state_dict()
    assert moved(before, run[0].network.state_dict()) == {"global_expert", "local_expert", "router"}


@pytest.mark.slow
def test_labels_of_images_are_learnt_in_every_stage_and_taken_up_again(labelled_run):
    _, steps, states = labelled_run
    assert [(step.stage, step.number) for step in steps] == LABELLED
    assert all(step.losses["labels"] > 0 for step in steps if step.stage < 4)
    assert all(step.losses["centres"] > 0 for step in steps if step.stage == 4)
    for kept in (states[1], states[-2]):
        again: list[Step] = []
        trainer_of(labelled_volumes()).run(again.append, state=kept)
        assert again
        for step, other in zip(again, steps[-len(again) :], strict=True):
            assert step.losses == pytest.approx(other.losses, rel=1e-4)


@pytest.mark.slow
def test_labels_alone_begin_at_random_and_an_interrupted_run_ends_like_a_whole_one():
    alone = replace(CONFIG, image_steps=0, region_steps=0, settle_steps=0, label_steps=4)
    torch.manual_seed(alone.seed)
    before, begun = trainable_network(NETWORK), trainer_of(labelled_volumes(), alone)
    for one, other in zip(
        before.global_expert.parameters(), begun.network.global_expert.parameters(), strict=True
    ):
        torch.testing.assert_close(one, other, check_dtype=True)
    assert "local_expert" in moved(before.state_dict(), begun.network.state_dict())
    trainer, _, states = run_of(begun)
    assert [state["step"] for state in states] == [2, 4]
    resumed = trainer_of(labelled_volumes(), alone)
    resumed.run(lambda step: None, state=states[0])
    one, other = (each.network.global_expert.state_dict() for each in (trainer, resumed))
    torch.testing.assert_close(one, other)


@pytest.mark.slow
def test_stage_2_by_itself_goes_on_with_the_attention_that_stage_1_left(labelled_run):
    trainer = trainer_of(labelled_volumes(), replace(CONFIG, region_steps=0))
    left = labelled_run[2][0]
    assert left["stage"] == 1
    trainer.run(lambda step: None, (Stage.REGIONS,), left)
    after = trainer._views.objective.state()["labels"]
    assert all(
        torch.equal(tensor, after[name]) for name, tensor in left["work"]["objective"]["labels"].items()
    )
    fresh = trainer_of(labelled_volumes())._views.objective.state()["labels"]
    assert any(not torch.equal(tensor, after[name]) for name, tensor in fresh.items())


@pytest.mark.slow
@pytest.mark.parametrize(("volumes", "local"), [
    (labelled_volumes(), {"local_expert"}), (plain_volumes(), set()),
])  # fmt: skip
def test_labels_reach_the_windows_expert_already_on_whole_images(volumes, local):
    trainer = trainer_of(volumes)
    before = parameters(trainer)
    after = trainer.run(lambda step: None, (Stage.IMAGES,)).state_dict()
    assert moved(before, after) == {"global_expert", "router"} | local


@pytest.mark.slow
def test_patients_that_are_asked_about_are_never_learnt_from(labelled_run):
    made, steps, _ = labelled_run
    asked = set(made._views.labels.queries.tolist())
    assert asked
    patients = made._views.labels.labels.patient
    held = {patients[view] for view in asked}
    for _ in range(30):
        batch = made._views.sampler.draw()
        assert not held & set(patients[np.concatenate([batch.first, batch.second])].tolist())
    looked = [step.validation for step in steps if step.stage > 1 and step.validation is not None]
    assert looked
    assert all(0 <= found <= 1 for found in looked)


@pytest.mark.slow
def test_a_label_in_the_middle_of_a_series_alone_is_learnt_from():
    named = np.full(20, -1)
    named[9] = 0
    made = trainer_of(
        [
            scan(f"ct {v}", slices=20, image_labels=labels)
            for v, labels in enumerate((named, np.ones(20, np.int64)))
        ]
    )
    drawn = set()
    for batch in (made._views.sampler.draw() for _ in range(30)):
        for views in (batch.first, batch.second):
            drawn |= set((views // 2).tolist())  # two views of each slice
    assert 9 in drawn
    assert not {10, 11, 29, 30, 31} & drawn
    assert made._views.labels is None


@pytest.mark.slow
def test_a_backbone_rate_of_zero_keeps_the_backbone():
    network = trainer_of(plain_volumes(), replace(CONFIG, backbone_rate=0.0)).run(lambda step: None)
    assert not moved(tiny_backbone().state_dict(), network.backbone.state_dict())
