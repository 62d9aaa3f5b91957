"""The stage that teaches labels: what it draws, what it changes, and what it reaches."""

from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.training.data.image_labels import ImageLabels
from hmar.training.labels.material import Material
from hmar.training.labels.work import LabelWork
from hmar.training.loop import Loop
from hmar.training.reports import Step
from hmar.training.stages import Stage
from hmar.training.trainable import trainable_network
from tests.hmar.training.tiny import CONFIG, NETWORK

pytestmark = pytest.mark.usefixtures("tiny_backbone_is_known")

CONFIG_OF_LABELS = replace(CONFIG, label_batch=32, label_steps=60, evaluate_every=20)
DEVICE = torch.device("cpu")
LABELS, PATIENTS, EACH = 3, 12, 4


def material(seed: int = 0) -> Material:
    """Return images whose label shows in some channels, beside noise and an offset of the patient."""
    generator = torch.Generator().manual_seed(seed)
    label = np.repeat(np.arange(LABELS), PATIENTS * EACH)
    patient = np.repeat(np.arange(LABELS * PATIENTS), EACH)
    shape = (16, 3, 3)
    own = torch.randn(LABELS, *shape, generator=generator)[label]
    of_patient = torch.randn(LABELS * PATIENTS, *shape, generator=generator)[patient]
    noise = torch.randn(2, len(label), *shape, generator=generator)
    labels = ImageLabels(label, patient, LABELS)
    return Material((3 + own + of_patient + 0.5 * noise).half(), labels, labels.held_out())


def work_of(network: torch.nn.Module, made: Material | None = None) -> LabelWork:
    return LabelWork(network, lambda: made or material(), CONFIG_OF_LABELS, DEVICE)


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return trainable_network(NETWORK)


@pytest.mark.slow
def test_labels_are_learnt_by_expert0_alone_and_found_in_patients_held_out():
    trained = network()
    before = {name: tensor.clone() for name, tensor in trained.state_dict().items()}
    work, steps = work_of(trained), list[Step]()
    Loop(trained, CONFIG_OF_LABELS, DEVICE).run(work, steps.append)
    changed = {
        name.split(".")[0] for name, tensor in trained.state_dict().items() if not tensor.equal(before[name])
    }
    assert changed == {"global_expert"}
    assert [step.stage for step in steps] == [Stage.LABELS] * 60
    untrained = work_of(network())
    untrained.begin()
    assert max(s.validation for s in steps if s.validation) > untrained.validate(untrained._network) + 0.1
    assert work.validate(trained) > 0.99  # whom it asks for has been learnt, too


@pytest.mark.slow
def test_where_not_all_are_to_be_learnt_the_weights_stay_those_that_did_best_for_the_others():
    trained, made, steps = network(), material(), list[Step]()
    work = LabelWork(trained, lambda: made, CONFIG_OF_LABELS, DEVICE, learns_all=False)
    Loop(trained, CONFIG_OF_LABELS, DEVICE).run(work, steps.append)
    best = max(s.validation for s in steps if s.validation)
    assert work.validate(trained) == pytest.approx(best, abs=0.02)
    with torch.no_grad():
        learnt = trained.global_expert(made.parts[0][~made.held_out].float())
    assert float(learnt.mean(dim=0).abs().max()) < 0.1  # bits are balanced on what was learnt, and not on all
    assert learnt.std(dim=0).numpy() == pytest.approx(np.ones(learnt.shape[1]), abs=0.1)


@pytest.mark.slow
def test_learning_from_all_is_a_training_without_anybody_held_out_that_stops_at_the_best_step():
    config = replace(CONFIG_OF_LABELS, evaluate_every=60)  # only the last step can be kept
    made = material()
    nobody = replace(made, held_out=np.zeros(len(made.held_out), np.bool_))
    trained, told = [], []
    for given in (made, nobody):
        trained.append(network())
        work = LabelWork(
            trained[-1], lambda given=given: given, config, DEVICE, told=lambda *at: told.append(at)
        )
        Loop(trained[-1], config, DEVICE).run(work, lambda step: None)
    one, other = (each.state_dict() for each in trained)
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)  # AdamW multiplies what rounding changes
    assert told == [(step, 60) for step in range(1, 61)]  # the first training's second part alone


@pytest.mark.slow
def test_an_interrupted_stage_begins_again_where_it_began_before(tmp_path):
    states, whole = [], network()
    Loop(whole, CONFIG_OF_LABELS, DEVICE).run(work_of(whole), lambda step: None, keep=states.append)
    resumed = network()
    torch.nn.init.normal_(resumed.global_expert.project.weight)  # a process that has not seen the start
    Loop(resumed, CONFIG_OF_LABELS, DEVICE).run(work_of(resumed), lambda step: None, states[-1])
    one, other = whole.state_dict(), resumed.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one if name.startswith("global_expert"))


@pytest.mark.slow
def test_every_bit_is_balanced_where_the_network_was_trained():
    trained, made = network(), material()
    Loop(trained, CONFIG_OF_LABELS, DEVICE).run(work_of(trained, made), lambda step: None)
    with torch.no_grad():
        logits = trained.global_expert(made.parts[0].float())
    assert float(logits.mean(dim=0).abs().max()) < 0.1
    assert logits.std(dim=0).numpy() == pytest.approx(np.ones(logits.shape[1]), abs=0.1)


def test_a_batch_depends_on_the_seed_and_its_number_alone_and_has_no_patient_held_out():
    made = material()
    first, second = work_of(network(), made), work_of(network(), made)
    first.begin()
    second.begin()
    drawn = list(first.batches(range(1, 4)))
    (last,) = second.batches(range(3, 4))
    assert torch.equal(drawn[2][0], last[0])
    assert not torch.equal(drawn[0][0], drawn[1][0])
    learnt = {part.numpy().tobytes() for part in made.parts[:, ~made.held_out].flatten(0, 1)}
    assert all(part.numpy().tobytes() in learnt for parts, _ in drawn for part in parts)


def test_where_nobody_can_be_held_out_nothing_is_asked():
    made = material()
    work = work_of(network(), replace(made, held_out=np.zeros(len(made.held_out), np.bool_)))
    work.begin()
    assert work.validate(network()) is None
