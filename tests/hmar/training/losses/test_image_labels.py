"""Labels of whole images: who is drawn, who is held out, and what they teach."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import NO_LABEL, ImageLabels, LabelledViews
from hmar.training.data.pairs import PairConfig, PairSampler
from hmar.training.data.views import ViewSet
from hmar.training.data.volumes import Volume
from hmar.training.losses.class_codes import nested_codes
from hmar.training.losses.image_labels import ImageLabelLoss
from hmar.training.validation.labels import LabelValidation

CONFIG = TrainingConfig()
BITS = 128


def image(label: int | None, patient: str | None, slices: int = 1) -> Volume:
    labels = None if label is None else np.full(slices, label)
    values = np.zeros((slices, 4, 4), np.int16)
    return Volume("image", values, (1.0, 1.0, 1.0), "OT", np.full(slices, -1), None, labels, patient)


def views_of(volumes: list[Volume], views: int = 2) -> ViewSet:
    index = np.array(
        [(v, p) for v, volume in enumerate(volumes) for p in range(len(volume.values)) for _ in range(views)]
    )
    maps, content = torch.empty(len(index), 0), torch.ones(len(index), 3, 3, dtype=torch.bool)
    return ViewSet(maps, content, index[:, 0], index[:, 1], 0.0 * index[:, 1], np.zeros((len(index), 2, 3)))


def labels_of(volumes: list[Volume]) -> ImageLabels:
    return ImageLabels.of(views_of(volumes), volumes, CONFIG)


def test_every_view_has_the_label_of_its_slice_and_the_patient_of_its_volume():
    mixed = Volume(
        *("series 1", np.zeros((3, 4, 4), np.int16), (1.0, 1.0, 1.0), "CT", np.full(3, -1)),
        image_labels=np.array([2, NO_LABEL, 0]),
        patient="a",
    )
    labels = labels_of([mixed, image(2, "a"), image(None, None), image(0, None)])
    # Numbers that no view has are left out.
    assert labels.label.tolist() == [1, 1, -1, -1, 0, 0, 1, 1, -1, -1, 0, 0]
    assert labels.count == 2
    patients = labels.patient[::2]
    assert patients[0] == patients[1] == patients[2] == patients[3]
    assert len(set(patients[3:].tolist())) == 3


@pytest.mark.parametrize(
    ("label", "config"),
    [
        ((None, None), CONFIG),
        ((0, 0), CONFIG),  # one label tells nothing from anything else
        ((0, 1), replace(CONFIG, structure_weight=0.0, structure_contrast=0.0)),
    ],
)
def test_where_labels_teach_nothing_nothing_is_held_out_drawn_or_asked_of_chance(label, config):
    volumes = [image(label[number % 2], str(number)) for number in range(20)]
    labels = ImageLabels.of(views_of(volumes), volumes, config)
    assert labels.count == 0
    assert not labels.held_out().any()
    rng, untouched = np.random.default_rng(0), np.random.default_rng(0)
    drawn = np.arange(8)
    assert LabelledViews(labels, np.ones(40, bool)).put_into(drawn, rng) is drawn
    assert rng.random() == untouched.random()
    assert LabelValidation.of(labels, np.arange(40) < 9, np.arange(40) >= 9, (64,), 0) is None


def test_whole_patients_are_held_out_of_labels_that_can_spare_one():
    few = [image(0, f"few {number}") for number in range(8)]
    many = [image(1, f"many {number % 18}") for number in range(36)]
    labels = labels_of(few + many)
    held = labels.held_out()
    assert not held[labels.label == 0].any()
    of_held = np.unique(labels.patient[held])
    assert len(of_held) == 2
    assert held.tolist() == np.isin(labels.patient, of_held).tolist()


def test_every_label_keeps_three_quarters_of_its_patients_and_others_are_held_out_instead():
    several = [image(label, f"of several {number:02}") for number in range(20) for label in (0, 1)]
    first = labels_of(several)
    chosen = np.unique(first.patient[first.held_out()])
    assert len(chosen) == 2  # of both labels at once, not of each
    rare = [image(2, f"of several {number:02}") for number in chosen]
    labels = labels_of(several + rare)
    held = labels.held_out()
    assert len(np.unique(labels.patient[held])) == 2
    assert not held[labels.label == 2].any()


def test_views_that_show_too_little_have_no_label():
    volumes = [image(number % 2, f"patient {number}") for number in range(6)]
    views = views_of(volumes)
    views.content[:4] = False
    labels = ImageLabels.of(views, volumes, CONFIG)
    assert labels.label.tolist() == [-1] * 4 + [0, 0, 1, 1, 0, 0, 1, 1]


def test_mates_are_drawn_by_the_root_of_their_patients_images():
    volumes = [image(0, "long", 64), image(0, "short", 16), image(0, "one"), image(1, "other")]
    labels = labels_of(volumes)
    drawn = LabelledViews(labels, np.ones(len(labels.label), bool)).draw(20_000, np.random.default_rng(0))
    images, mates = labels.patient[drawn].reshape(-1, 2)[labels.label[drawn[::2]] == 0].T
    of_long = mates[images == labels.patient[0]]
    assert np.mean(of_long == labels.patient[128]) == pytest.approx(4 / 5, abs=0.02)


def test_views_of_a_label_that_would_vanish_are_known():
    labels = labels_of([image(0, "a", 4), image(1, "b"), image(1, "c")])
    mask = np.ones(len(labels.label), bool)
    mask[labels.patient == labels.patient[-1]] = False
    assert labels.wholly_in(mask).tolist() == (labels.label == 0).tolist()


@pytest.mark.slow
def test_labels_are_drawn_alike_in_twos_and_patients_by_the_root_of_their_images():
    volumes = [image(0, "long", 64), image(0, "short", 16), image(1, "other"), image(None, "none", 27)]
    labels = labels_of(volumes)
    allowed = np.ones(len(labels.label), bool)
    allowed[1::2] = False  # one view of each slice
    labelled, rng = LabelledViews(labels, allowed), np.random.default_rng(0)
    free = int(np.flatnonzero(allowed & (labels.label == NO_LABEL))[0])
    drawn = [labelled.put_into(np.full(7, free), rng) for _ in range(3000)]
    shown = [views[labels.label[views] != NO_LABEL] for views in drawn]
    assert np.mean([len(views) for views in shown]) == pytest.approx(7 * 81 / 108, rel=0.02)
    for views in shown:
        of_two = views[: len(views) // 2 * 2].reshape(-1, 2)
        label, patient = labels.label[of_two], labels.patient[of_two]
        assert (label[:, 0] == label[:, 1]).all()
        assert ((patient[:, 0] != patient[:, 1]) == (label[:, 0] == 0)).all()  # where there is another
    first = np.concatenate([views[::2] for views in shown])
    assert allowed[first].all()
    assert np.mean(labels.label[first]) == pytest.approx(0.5, abs=0.02)
    of_first = labels.patient[first[labels.label[first] == 0]]
    assert np.mean(of_first == labels.patient[0]) == pytest.approx(8 / 12, abs=0.02)


@pytest.mark.slow
def test_series_are_drawn_as_often_as_they_are_among_all_views():
    volumes = [image(None, f"series {number}", 30) for number in range(4)]
    volumes += [image(number % 2, f"film {number}") for number in range(120)]
    views = views_of(volumes)
    views = replace(
        views,
        content=torch.ones(len(views.volume), 32, 32, dtype=torch.bool),
        to_cell=views.to_cell + np.eye(2, 3),
    )
    labels = ImageLabels.of(views, volumes, CONFIG)
    sampler = PairSampler(
        views, volumes, PairConfig(views=8, windows=2), np.random.default_rng(0), labels=labels
    )
    first = np.concatenate([sampler.draw().first for _ in range(120)])
    assert np.mean(labels.label[first] == NO_LABEL) == pytest.approx(0.5, abs=0.05)


class Windows:
    """Images of eight windows, of which one tells the label; the others are alike in all."""

    def __init__(self, count: int = 24, labels: int = 3, inputs: int = 16) -> None:
        rng = torch.Generator().manual_seed(0)
        self.label = torch.arange(count) % labels
        self.patient = torch.arange(count)
        self.place = torch.randint(8, (count,), generator=rng)
        told = torch.randn(labels, inputs, generator=rng)
        self.windows = 0.1 * torch.randn(count, 8, inputs, generator=rng) + torch.randn(inputs, generator=rng)
        self.windows[torch.arange(count), self.place] = told[self.label]

    def loss(self, module: ImageLabelLoss, expert: nn.Module, *, regions: bool) -> torch.Tensor:
        whole, gate = torch.zeros(len(self.label), BITS), torch.full((len(self.label), 2), 0.5)
        return module.of_images(
            whole,
            self.windows,
            expert,
            gate,
            self.label,
            self.patient,
            regions=regions,  # type: ignore[arg-type]
        )


def codes(count: int) -> torch.Tensor:
    return nested_codes(count, (64, BITS), np.random.default_rng(0))


def module(count: int = 3, inputs: int = 16) -> ImageLabelLoss:
    torch.manual_seed(0)
    return ImageLabelLoss(codes(count), inputs, CONFIG)


@pytest.mark.slow
@pytest.mark.parametrize("regions", [False, True])
def test_attention_finds_the_window_that_a_label_speaks_of(regions):
    bags, loss, expert = Windows(), module(), nn.Linear(16, BITS)
    optimiser = torch.optim.Adam([*loss.parameters(), *expert.parameters()], 0.01)
    first = float(bags.loss(loss, expert, regions=regions).detach())
    for _ in range(150):
        optimiser.zero_grad()
        reached = bags.loss(loss, expert, regions=regions)
        torch.autograd.backward(reached)
        optimiser.step()
    assert float(reached.detach()) < 0.8 * first
    attention = loss.attention(bags.windows)
    assert (attention.argmax(dim=1) == bags.place).float().mean() > 0.9


def test_windows_are_compared_with_those_of_other_images_in_stage_2_alone():
    bags, loss, expert = Windows(), module(), nn.Linear(16, BITS)
    torch.manual_seed(0)
    alone, compared = (bags.loss(loss, expert, regions=regions) for regions in (False, True))
    assert not torch.allclose(alone, compared)


def test_images_without_a_label_teach_nothing():
    bags, loss, expert = Windows(), module(), nn.Linear(16, BITS)
    labelled = bags.loss(loss, expert, regions=False)
    bags.windows[::2] = torch.randn(12, 8, 16)
    bags.label[::2] = NO_LABEL
    half = bags.loss(loss, expert, regions=False)
    bags.windows[::2] = torch.randn(12, 8, 16)
    assert torch.equal(half, bags.loss(loss, expert, regions=False))
    assert not torch.allclose(half, labelled)
    bags.label[:] = NO_LABEL
    assert bags.loss(loss, expert, regions=True).item() == 0


def test_the_gate_says_which_expert_answers_for_the_label():
    loss, expert = module(), nn.Linear(16, BITS)
    bags = Windows()
    whole = torch.randn(24, BITS, requires_grad=True)
    for gate, reached in (([1.0, 0.0], True), ([0.0, 1.0], False)):
        only = ImageLabelLoss(codes(3), 16, TrainingConfig(structure_contrast=0.0))
        found = only.of_images(
            *(whole, bags.windows, expert, torch.tensor([gate] * 24), bags.label, bags.patient), regions=False
        )
        (gradient,) = torch.autograd.grad(found, whole)
        assert bool(gradient.abs().sum() > 0) == reached
    assert loss.directions.shape == (3, BITS)


def test_an_image_is_found_where_the_nearest_of_another_patient_has_its_label():
    volumes = [image(number % 2, f"patient {number}") for number in range(40)]
    labels = labels_of(volumes)
    held = labels.held_out()
    validation = LabelValidation.of(labels, held, ~held, (64, BITS), 0)
    assert held[validation.queries].all()
    assert not held[validation.gallery].any()

    class Given:
        """A network whose codes are those that maps are given as."""

        def eval(self):
            """Do nothing."""

        def global_expert(self, maps):
            """(B, 128) -> the same."""
            return maps

    def share(codes: torch.Tensor) -> float:
        return validation.measure(Given(), lambda chosen: codes[chosen])  # type: ignore[arg-type]

    label = torch.from_numpy(labels.label)
    told = torch.where(label == 0, -1.0, 1.0)[:, None].expand(-1, BITS)
    assert share(told) == 1
    assert share(torch.where(torch.from_numpy(held)[:, None], -told, told)) == 0
    same = torch.ones(len(label), BITS)  # all tie
    of_both = np.bincount(labels.label[validation.gallery]) / len(validation.gallery)
    expected = of_both[labels.label[validation.queries]].mean()
    assert share(same) == pytest.approx(expected, abs=1e-6)


def test_a_label_that_is_not_learnt_is_not_asked_for():
    labels = labels_of([image(number // 10, f"patient {number}") for number in range(30)])
    learnt = labels.label == 0
    asked = LabelValidation.of(labels, ~learnt, learnt, (64,), 0)
    assert asked is None
    some = LabelValidation.of(labels, np.arange(60) % 20 == 0, learnt, (64,), 0)
    assert set(labels.label[some.queries].tolist()) == {0}
