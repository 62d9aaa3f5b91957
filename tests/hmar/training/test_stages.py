import ast
import io
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

import nibabel as nib
from PIL import Image

from hmar.encoder import HmarEncoder
from hmar.image.grid import GridConfig
from hmar.image.windows import WindowConfig
from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone, SmoothLite0Backbone, fold_batch_norm
from hmar.model.bundle import CARD, GOLDEN, seal
from hmar.model.config import NetworkConfig
from hmar.model.hash_head import HashHead
from hmar.model.kan import FoldedKAN
from hmar.model.serving.model import load_served
from hmar.model.tags import REGIONS
from hmar.model.weights import load_bundle, write_weights
from hmar.training.config import PRESETS, TrainingConfig
from hmar.training.data.pairs import PairConfig
from hmar.training.data.views import ViewSet, make_views
from hmar.training.data.volumes import Volume, constant_regions, load_nifti, regions_from_structures
from hmar.training.export.card import LITE0, OPEN_CT, Origin, card
from hmar.training.export.curves import draw_curves
from hmar.training.export.fold import served_network
from hmar.training.export.golden import golden_frame
from hmar.training.export.parity import compare, served_logits, torch_logits
from hmar.training.export.reference import slice_frame
from hmar.training.export.serving_form import write_serving_form
from hmar.training.heads.initial import discriminative, initialise_head, itq
from hmar.training.heads.kan_layer import TrainableKAN
from hmar.training.losses.terms import NESTED_BITS, contrastive
from hmar.training.stages import Stage
from hmar.training.trainer import Step, Trainer
from hmar.training.validation.places import Validation, first_place, held_out

SMALL = TrainingConfig(
    initial_batches=6, image_steps=2, region_steps=3, settle_pairs=6, settle_steps=3, evaluate_every=2
)
STEPS = [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (3, 3)]


def volumes() -> list[Volume]:
    noise = np.random.default_rng(0).normal(40, 200, (2, 6, 90, 110)).astype(np.int16)
    return [
        Volume("ct", noise[0], (3.0, 3.0, 3.0), "CT", constant_regions(6, "CHEST")),
        Volume("mr", np.abs(noise[1]), (3.0, 3.0, 3.0), "MR", constant_regions(6, "HEAD")),
    ]


@pytest.fixture(scope="module")
def backbone() -> Lite0Backbone:
    torch.manual_seed(0)
    return Lite0Backbone().eval().requires_grad_(False)


@pytest.fixture(scope="module")
def views(backbone):
    rng = np.random.default_rng(0)
    return make_views(volumes(), fold_batch_norm(backbone), 3, 0.75, rng, lambda done, total: None)


def trainer_of(views, backbone, config: TrainingConfig = SMALL) -> Trainer:
    return Trainer(NetworkConfig(), backbone, config, PairConfig(views=4, windows=6), views, volumes())


def kept(state: dict[str, object]) -> dict[str, object]:
    """Return a checkpoint as a file gives it back."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    loaded: dict[str, object] = torch.load(buffer, weights_only=True)
    return loaded


@pytest.fixture(scope="module")
def run(views, backbone) -> tuple[Trainer, list[Step], list[dict[str, object]]]:
    steps: list[Step] = []
    states: list[dict[str, object]] = []
    trainer = trainer_of(views, backbone)
    trainer.run(steps.append, keep=lambda state: states.append(kept(state) | {"reported": len(steps)}))
    return trainer, steps, states


def test_all_stages_report_every_step_with_finite_losses(run):
    steps = run[1]
    assert [(step.stage, step.number) for step in steps] == STEPS
    assert all(np.isfinite(list(step.losses.values())).all() for step in steps)
    assert "gated" in steps[-1].losses


def test_the_same_seed_gives_the_same_weights(run, views, backbone):
    again = trainer_of(views, backbone).run(lambda step: None).state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in run[0].network.state_dict().items())


def test_a_trained_network_serves_the_same_codes_from_a_sealed_folder(run, tmp_path):
    network = run[0].network
    served = served_network(network)
    windows = torch.randn(50, network.config.width * 9)
    with torch.no_grad():
        expected, folded = network.local_expert(windows), served.local_expert(windows)
    assert torch.allclose(expected, folded, atol=1e-4)
    folder = tmp_path / "small"
    write_weights(folder, "small", served, GridConfig(), WindowConfig())
    (folder / CARD).write_text("card")
    write_serving_form(folder, volumes(), lambda what, done, total: None)
    seal(folder)
    encoder = HmarEncoder.load(folder)
    frame = golden_frame()
    encoded = encoder.encode(frame)
    with np.load(folder / GOLDEN, allow_pickle=False) as golden:
        assert np.array_equal(golden["window_codes"], encoded.window_codes)
    parity = compare(
        torch_logits(load_bundle(folder), frame),
        served_logits(load_served(folder), load_bundle(folder), frame),
    )
    assert parity.bits > 10_000
    assert parity.decided == 0
    assert encoder.image_query(slice_frame(volumes()[0], 2)).typicality > 0


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_resumed_run_goes_on_as_if_it_had_not_been_interrupted(after, run, views, backbone):
    steps: list[Step] = []
    trainer_of(views, backbone).run(steps.append, state=run[2][after])
    expected = run[1][-len(steps) :]
    assert [(step.stage, step.number) for step in steps] == [(s.stage, s.number) for s in expected]
    for step, other in zip(steps, expected, strict=True):
        assert step.losses == pytest.approx(other.losses, rel=1e-4)


def test_a_step_is_reported_before_the_checkpoint_that_it_is_in(run):
    for state in run[2]:
        step = run[1][state["reported"] - 1]
        assert (step.stage, step.number) == (state["stage"], state["step"])


def test_a_stage_that_had_ended_early_is_not_taken_up_again(run, views, backbone):
    ended = run[2][1] | {"waited": SMALL.patience}
    assert (ended["stage"], ended["step"]) == (2, 2)
    steps: list[Step] = []
    trainer_of(views, backbone).run(steps.append, state=ended)
    assert [(step.stage, step.number) for step in steps] == [(3, 1), (3, 2), (3, 3)]


def test_settling_gives_up_nothing_that_was_better(views, backbone, monkeypatch):
    trainer = trainer_of(views, backbone)
    before = {name: tensor.clone() for name, tensor in trainer.network.state_dict().items()}
    looks = iter([0.9, 0.2, 0.3])
    monkeypatch.setattr(Validation, "measure", lambda *_: next(looks))
    after = trainer.run(lambda step: None, (Stage.EXPERTS,)).state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_the_tail_of_the_backbone_learns_and_its_stem_does_not(run, backbone):
    trained_backbone = run[0].network.backbone.state_dict()
    moved = {
        name
        for name, tensor in backbone.state_dict().items()
        if not torch.equal(tensor, trained_backbone[name])
    }
    assert moved
    assert all(name.startswith("_blocks.") and int(name.split(".")[1]) >= 5 for name in moved)


def test_the_experts_settle_on_a_backbone_that_stays_as_it_is(run, views, backbone):
    before = trainer_of(views, backbone).run(lambda step: None, (Stage.IMAGES, Stage.REGIONS)).state_dict()
    after = run[0].network.state_dict()
    moved = {name for name, tensor in before.items() if not torch.equal(tensor, after[name])}
    assert any(name.startswith("local_expert.") for name in moved)
    assert any(name.startswith("global_expert.") for name in moved)
    assert not any(name.startswith("backbone.") for name in moved)


def test_the_backbone_does_not_learn_from_what_routes_it(views, backbone):
    trainer = trainer_of(views, backbone)
    trainer._parameters(Stage.REGIONS)  # it makes the tail one that learns
    tail = [p for module in trainer.network.backbone.tail_modules() for p in module.parameters()]
    losses = trainer._losses(trainer._sampler.draw(), Stage.REGIONS)
    for name, reached in (("modality", False), ("region", False), ("gate_entropy", False), ("gated", True)):
        found = torch.autograd.grad(losses[name], tail, allow_unused=True, retain_graph=True)
        assert any(gradient is not None for gradient in found) == reached, name


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_the_loss_on_places_is_shared_between_the_short_code_and_the_whole(views, backbone, share):
    trainer = trainer_of(views, backbone, replace(SMALL, short_share=share))
    torch.manual_seed(0)
    logits, negative = torch.randn(8, 128), torch.ones(4, 4, dtype=torch.bool)
    short, whole = (
        contrastive(*logits[:, :bits].chunk(2), negative, SMALL.temperature) for bits in NESTED_BITS
    )
    found, _ = trainer._objective._paired(logits, negative)
    assert torch.allclose(found, share * short + (1 - share) * whole)
    assert not torch.allclose(found, short)


def labelled_volumes() -> list[Volume]:
    rng = np.random.default_rng(0)
    values = rng.normal(40, 200, (4, 6, 90, 110)).astype(np.int16)
    named = [np.array([0, 0, 1, 1, -1, -1]), None, np.array([1, 1, 0, 0, 0, 0]), np.array([1] * 6)]
    region = constant_regions(6, "CHEST")
    scans = [
        Volume(f"ct {v}", scan, (3.0, 3.0, 3.0), "OT" if v == 1 else "CT", region, None, labels, f"{v // 2}")
        for v, (scan, labels) in enumerate(zip(values, named, strict=True))
    ]
    films = [
        Volume("film", values[0, :1], (1.0, 3.0, 3.0), "DX", np.full(1, -1), None, np.array([v % 2]))
        for v in range(18)
    ]
    return scans + films


@pytest.fixture(scope="module")
def labelled_run(backbone):
    data = labelled_volumes()
    views = make_views(data, fold_batch_norm(backbone), 2, 0.75, np.random.default_rng(0), lambda *_: None)
    pairs = PairConfig(views=4, windows=6)

    def trainer(config: TrainingConfig = SMALL) -> Trainer:
        return Trainer(NetworkConfig(), backbone, config, pairs, views, data)

    steps: list[Step] = []
    states: list[dict[str, object]] = []
    trainer().run(steps.append, keep=lambda state: states.append(kept(state)))
    return trainer, steps, states


def test_labels_of_images_are_learnt_in_every_stage_and_taken_up_again(labelled_run):
    trainer, steps, states = labelled_run
    assert [(step.stage, step.number) for step in steps] == STEPS
    assert all(step.losses["labels"] > 0 for step in steps)
    again: list[Step] = []
    trainer().run(again.append, state=states[1])
    for step, other in zip(again, steps[-len(again) :], strict=True):
        assert step.losses == pytest.approx(other.losses, rel=1e-4)


def test_stage_2_by_itself_goes_on_with_the_attention_that_stage_1_left(labelled_run):
    trainer = labelled_run[0](replace(SMALL, region_steps=0))
    left = labelled_run[2][0]
    assert left["stage"] == 1
    trainer.run(lambda step: None, (Stage.REGIONS,), left)
    after = trainer._objective.state()["labels"]
    assert all(torch.equal(tensor, after[name]) for name, tensor in left["objective"]["labels"].items())
    fresh = labelled_run[0]()._objective.state()["labels"]
    assert any(not torch.equal(tensor, after[name]) for name, tensor in fresh.items())


def test_labels_reach_the_windows_expert_already_on_whole_images(labelled_run, run, views, backbone):
    for trainer, reached in ((labelled_run[0](), True), (trainer_of(views, backbone), False)):
        before = {name: tensor.clone() for name, tensor in trainer.network.state_dict().items()}
        after = trainer.run(lambda step: None, (Stage.IMAGES,)).state_dict()
        moved = [name for name, tensor in before.items() if not torch.equal(tensor, after[name])]
        assert any(name.startswith("local_expert.") for name in moved) == reached
        assert any(name.startswith("global_expert.") for name in moved)
        assert not any(name.startswith("backbone.") for name in moved)


def test_images_that_belong_together_are_not_pushed_apart(labelled_run, monkeypatch):
    trainer = labelled_run[0]()
    objective, apart = trainer._objective, []

    def paired(logits, negative):
        apart.append(negative)
        return torch.zeros(len(negative)), torch.zeros(())

    monkeypatch.setattr(objective, "_paired", paired)
    drawn = trainer._sampler.draw(4)
    # Volumes 0, 1, 3, 2 of patients 0, 0, 1, 1 with labels 0, none, 1, 0; beside them of volumes 0, 1, 0, 2
    # with labels none, none, 1, 0.
    batch = replace(drawn, first=np.array([0, 12, 36, 28]), second=np.array([8, 12, 4, 28]))
    objective._image_loss(torch.zeros(8, 128), batch)
    # Kept together: one patient's two scans (0 and 1, 3 and 2), and labels alike across patients.
    assert apart[0].tolist() == [
        [False, False, True, False],
        [False, False, False, True],
        [True, True, False, False],
        [True, True, True, False],
    ]
    place = batch.place.copy()
    place[:, 0] = np.arange(len(place))  # all of volumes of their own
    nowhere = np.full(len(place), -1)
    windows = torch.zeros(2 * len(place), 64 * 9)
    objective._region_loss(windows, replace(batch, place=place, first_label=nowhere, second_label=nowhere))
    of_view = torch.arange(4).repeat_interleave(len(place) // 4)
    together = torch.tensor(
        [[False, True, False, True], [True, False, True, False], [False, False, True, True], [False] * 4]
    )
    kept = together[of_view][:, of_view] | torch.eye(len(place), dtype=torch.bool)
    assert torch.equal(~apart[1], kept)


def test_patients_that_are_asked_about_are_never_learnt_from(labelled_run):
    trainer, steps, _ = labelled_run
    made = trainer()
    asked = set(made._label_validation.asked.tolist())
    assert asked
    patients = made._label_validation.labels.patient
    held = {patients[view] for view in asked}
    for _ in range(30):
        batch = made._sampler.draw()
        assert not held & set(patients[np.concatenate([batch.first, batch.second])].tolist())
    looked = [step.validation for step in steps if step.stage > 1 and step.validation is not None]
    assert looked
    assert all(0 <= found <= 1 for found in looked)


def test_a_label_in_the_middle_of_a_series_alone_is_learnt_from(backbone, views):
    values = np.random.default_rng(0).normal(40, 200, (20, 30, 30)).astype(np.int16)
    named = np.full(20, -1)
    named[9] = 0
    data = [
        Volume(f"ct {v}", values, (3.0, 3.0, 3.0), "CT", np.full(20, -1), None, labels)
        for v, labels in enumerate((named, np.ones(20, np.int64)))
    ]
    plane = np.tile(np.arange(20), 2)
    many = ViewSet(
        views.maps[:1].expand(40, -1, -1, -1),
        views.content[:1].expand(40, -1, -1),
        np.repeat([0, 1], 20),
        plane,
        3.0 * plane,
        np.repeat(views.to_cell[:1], 40, axis=0),
    )
    made = Trainer(NetworkConfig(), backbone, SMALL, PairConfig(views=4, windows=6), many, data)
    batches = [made._sampler.draw() for _ in range(30)]
    drawn = np.concatenate([views for batch in batches for views in (batch.first, batch.second)])
    assert 9 in drawn
    assert not {10, 11, 29, 30, 31} & set(drawn.tolist())
    assert made._label_validation is None


def test_a_backbone_rate_of_zero_keeps_the_backbone(views, backbone):
    network = trainer_of(views, backbone, replace(SMALL, backbone_rate=0.0)).run(lambda step: None)
    after = network.backbone.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in backbone.state_dict().items())


def test_validation_looks_at_slices_that_nothing_is_learned_from(views):
    assert not held_out(views).any()  # six slices can spare none
    many = ViewSet(
        views.maps, views.content, np.zeros(40, np.int64), np.arange(40), np.arange(40.0), views.to_cell
    )
    assert np.flatnonzero(held_out(many)).tolist() == [18, 19, 20, 21, 22]


def test_a_place_is_found_first_where_its_code_is_the_nearest():
    agreement = torch.tensor([[9.0, 1, 1], [5, 5, 1], [9, 1, 3]])
    own = torch.eye(3, dtype=torch.bool)
    others = ~own
    assert first_place(agreement, own, others).mean() == pytest.approx((1 + 1 / 2 + 0) / 3)
    others[2, 0] = False  # too near to count as another place
    assert first_place(agreement, own, others).mean() == pytest.approx((1 + 1 / 2 + 1) / 3)
    own[1, 0], others[1, 0] = True, False  # of the same structure
    assert first_place(agreement, own, others).mean() == pytest.approx(1)
    own[1, 1], others[1, 1] = False, True  # as near as the one that is of it
    assert first_place(agreement, own, others).mean() == pytest.approx((1 + 1 / 2 + 1) / 3)


def test_curves_are_a_picture_of_the_log(run, tmp_path):
    log, picture = tmp_path / "training.jsonl", tmp_path / "training.png"
    log.write_text("".join(json.dumps(asdict(step)) + "\n" for step in run[1]))
    draw_curves(log, picture)
    with Image.open(picture) as drawn:
        assert drawn.size[0] > 400


def test_itq_brings_features_nearer_to_their_signs():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(500, 16, generator=generator) * torch.linspace(3, 0.5, 16)
    rotation = itq(features, generator)
    assert torch.allclose(rotation @ rotation.T, torch.eye(16), atol=1e-4)

    def error(rotated: torch.Tensor) -> float:
        return float((rotated / rotated.norm() - rotated.sign() / rotated.sign().norm()).norm())

    assert error(features @ rotation) < error(features)


def test_a_volume_is_read_as_a_radiologist_sees_it(tmp_path: Path):
    # RAS+: x towards right, y towards the front, z towards the head
    values = np.zeros((4, 5, 3), np.int16)
    values[3, 0, 2] = 7  # the rightmost, rearmost, uppermost voxel
    path = tmp_path / "volume.nii.gz"
    nib.save(nib.Nifti1Image(values, np.diag([1.0, 2.0, 3.0, 1.0])), path)
    read, spacing = load_nifti(path)
    assert spacing == (3.0, 2.0, 1.0)
    assert read.shape == (3, 5, 4)
    assert read[2, 4, 0] == 7  # upper slice, last row (back), first column (the patient's right)


def test_regions_follow_from_structures():
    names = ("", "heart", "kidney_left", "hip_left")
    labels = np.zeros((4, 2, 2), np.uint8)
    labels[0, 0, 0], labels[1, 0, 0], labels[1, 0, 1], labels[2, 0, 0] = 3, 2, 1, 1
    found = [None if index < 0 else REGIONS[index] for index in regions_from_structures(labels, names)]
    assert found == ["PELVIS", "ABDOMEN", "CHEST", None]


SETTINGS = {
    "name": "small",
    "windows": {"cells": (3, 5)},
    "network": {"intervals": 5, "order": 3, "trunk": "lite0"},
}


def test_a_card_counts_labelled_images_and_names_no_patient():
    origin = Origin("Of a site.", LITE0, "ImageNet")
    data = [replace(volume, patient=f"patient-{v}") for v, volume in enumerate(labelled_volumes())]
    text = card(SETTINGS, SMALL, data, 2, origin)
    assert "| single images | DX | 18 | of each | none |" in text
    assert "34 images were labelled as a whole, with 2 labels" in text
    assert "film" not in text
    assert "patient-" not in text
    assert "24 slices of 4 scans and 18 single images" in text
    one = [replace(volume, image_labels=np.zeros(len(volume.values), np.int64)) for volume in data]
    assert "labelled as a whole" not in card(SETTINGS, SMALL, one, 2, origin)
    without = card(SETTINGS, replace(SMALL, structure_weight=0.0, structure_contrast=0.0), data, 2, origin)
    assert "labelled as a whole" not in without


def test_a_card_names_its_data_and_settings():
    text = card(SETTINGS, SMALL, volumes(), 3, Origin(OPEN_CT, LITE0, "ImageNet"))
    assert text.startswith("# small\n")
    assert "| mr | MR | 6 | 3.00, 3.00, 3.00 | none |" in text
    assert "region_steps 3" in text
    assert "does not diagnose" in text


@pytest.mark.parametrize(
    ("backbone", "rate", "said"),
    [
        ("lite0-smooth", 3e-4, "its last blocks trained further"),
        ("lite0", 3e-4, "its last blocks trained further"),
        ("lite0-smooth", 0.0, "kept as they are"),
        ("resnet50", 3e-4, "kept as they are"),
    ],
)
def test_a_card_says_whether_the_backbone_was_trained(backbone, rate, said):
    settings = SETTINGS | {"network": {"intervals": 5, "order": 3, "trunk": backbone}}
    text = card(
        settings, replace(SMALL, backbone_rate=rate), volumes(), 3, Origin(OPEN_CT, LITE0, "ImageNet")
    )
    assert said in text


def test_a_backbone_that_stays_as_published_strides_behind_blurs_and_one_that_is_trained_does_not(
    tmp_path: Path,
):
    open_ct = pytest.importorskip("hmar.training.data.open_ct")
    published = Lite0Backbone()
    (tmp_path / "trunk").mkdir()
    torch.save(published.state_dict(), tmp_path / "trunk" / open_ct._WEIGHTS)
    kept, trained = (open_ct.load_backbone(tmp_path, PRESETS[name]) for name in ("open-ct", "structures"))
    assert (type(kept), type(trained)) == (SmoothLite0Backbone, Lite0Backbone)
    for name, weights in published.state_dict().items():
        assert torch.equal(kept.state_dict()[name], weights)
        assert torch.equal(trained.state_dict()[name], weights)


def test_structure_names_are_read_as_data_and_never_run(tmp_path: Path):
    open_ct = pytest.importorskip("hmar.training.data.open_ct")
    source = tmp_path / "names.py"
    source.write_text("raise SystemExit\nclass_map = {'total': {1: 'spleen', 3: 'liver'}}\n")
    assert ast.parse(source.read_text())
    assert open_ct._structure_names(source) == ("", "spleen", "", "liver")
    source.write_text("other = 1\n")
    with pytest.raises(ValueError, match="class_map"):
        open_ct._structure_names(source)


def test_discriminative_components_ignore_what_two_views_of_a_place_disagree_on():
    generator = torch.Generator().manual_seed(0)
    place = torch.randn(4000, 6, generator=generator) * torch.tensor([3.0, 3, 3, 0, 0, 0])
    first, second = (
        place + torch.randn(4000, 6, generator=generator) * torch.tensor([0.3, 0.3, 0.3, 2, 2, 2])
        for _ in range(2)
    )
    components = discriminative(first, second)
    leading = components[:, :3].square()
    assert leading[:3].sum() > 20 * leading[3:].sum()


def test_a_head_that_ends_in_its_served_form_is_not_trained():
    head = HashHead(40, 32, 16, 5, 3, FoldedKAN)
    with pytest.raises(TypeError, match="a head with a FoldedKAN cannot be trained"):
        initialise_head(head, torch.randn(9, 40), torch.randn(9, 40), torch.Generator())


def test_a_head_starts_with_codes_that_tell_places_apart():
    torch.manual_seed(0)
    head = HashHead(40, 32, 16, 5, 3, TrainableKAN)
    place = torch.randn(3000, 40)
    first, second = (place + 2 * torch.randn(3000, 40) * (torch.arange(40) >= 20) for _ in range(2))
    initialise_head(head, first, second, torch.Generator().manual_seed(0))
    with torch.no_grad():
        a, b = head(first) > 0, head(second) > 0
    same, other = (a == b).float().mean(), (a == b.roll(1, 0)).float().mean()
    assert same > 0.75
    assert other == pytest.approx(0.5, abs=0.05)
