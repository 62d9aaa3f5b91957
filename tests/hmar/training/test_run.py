"""From volumes to a sealed folder, and on from a checkpoint."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.encoder import HmarEncoder
from hmar.errors import ConfigError
from hmar.model.bundle import GOLDEN
from hmar.model.config import NetworkConfig
from hmar.model.serving.model import load_served
from hmar.model.weights import load_bundle
from hmar.training import run
from hmar.training.checkpoint import CHECKPOINT
from hmar.training.data.served import slice_frame
from hmar.training.export.card import Origin
from hmar.training.export.fold import served_network
from hmar.training.export.golden import golden_frame
from hmar.training.export.parity import compare, served_logits, torch_logits
from hmar.training.run import LOG, Plan, train, train_network
from hmar.training.stages import Stage, stages_of
from tests.hmar.training.tiny import CONFIG, NETWORK, TinyBackbone, scan, tiny_backbone

PLAN = Plan(replace(CONFIG, pairs=3, windows=4), views_per_slice=2)
ORIGIN = Origin("Noise.", "Two convolutions.", "Nothing")


def quiet(*_: object) -> None:
    """Report no progress."""


def volumes():
    noise = np.random.default_rng(0).normal(40, 200, (4, 72, 72)).astype(np.int16)
    return [replace(scan(name, slices=4), values=noise) for name in ("a", "b")]


@pytest.fixture
def small(tiny_backbone_is_known, monkeypatch):
    """Make runs build the small network that tests train."""
    sizes = {"width": NETWORK.width, "hidden": NETWORK.hidden}
    monkeypatch.setattr(run, "NetworkConfig", lambda **named: NetworkConfig(**named, **sizes))


def lines(folder) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / LOG).read_text().splitlines()]


@pytest.mark.slow
def test_a_model_trained_in_two_runs_serves_the_codes_of_its_network(small, tmp_path):
    folder, backbone = tmp_path / "small", tiny_backbone()
    first = replace(PLAN, stages=(Stage.IMAGES,))
    train_network(volumes(), backbone, first, quiet, folder)
    assert [line["stage"] for line in lines(folder)] == [1, 1]
    rest = replace(PLAN, stages=stages_of("2"), resume=True)
    train(folder, volumes(), backbone, ORIGIN, rest, quiet)
    assert [line["stage"] for line in lines(folder)] == [1, 1, 2, 2, 2, 3, 3, 3]
    assert not (folder / CHECKPOINT).exists()  # there is nothing left to go on to
    encoder, frame = HmarEncoder.load(folder), golden_frame()
    encoded = encoder.encode(frame)
    with np.load(folder / GOLDEN, allow_pickle=False) as golden:
        assert np.array_equal(golden["window_codes"], encoded.window_codes)
    bundle = load_bundle(folder)
    parity = compare(torch_logits(bundle, frame), served_logits(load_served(folder), bundle, frame))
    assert parity.bits > 10_000
    assert parity.decided == 0
    assert encoder.image_query(slice_frame(volumes()[0], 2)).typicality > 0


@pytest.mark.slow
def test_a_folded_network_gives_the_logits_of_the_one_that_was_trained(small):
    network = train_network(volumes(), tiny_backbone(), replace(PLAN, stages=()), quiet)
    windows = torch.randn(50, network.config.width * 9)
    with torch.no_grad():
        expected, folded = network.local_expert(windows), served_network(network).local_expert(windows)
    assert torch.allclose(expected, folded, atol=1e-4)


@pytest.mark.slow
def test_a_run_on_other_data_is_not_resumed(small, tmp_path):
    train_network(volumes(), tiny_backbone(), replace(PLAN, stages=(Stage.IMAGES,)), quiet, tmp_path)
    resumed = replace(PLAN, resume=True)
    with pytest.raises(ConfigError, match="on other data"):
        train(tmp_path, volumes()[:1], tiny_backbone(), ORIGIN, resumed, quiet)


@pytest.mark.slow
@pytest.mark.parametrize(("many", "width"), [(24, TinyBackbone.channels), (25, 0)])
def test_single_images_alone_give_a_model_that_serves_what_labels_taught(
    small, tmp_path, monkeypatch, many, width
):
    monkeypatch.setattr("hmar.training.labels.width._MANY", many)
    rng = np.random.default_rng(0)
    tone = {0: 200, 1: 700}
    films = [
        replace(
            scan(f"film {number}", slices=1, modality="DX"),
            values=rng.normal(tone[number % 2], 60, (1, 72, 72)).clip(0, 1000).astype(np.int16),
            image_labels=np.array([number % 2]),
            presented=True,
        )
        for number in range(24)
    ]
    folder, backbone = tmp_path / "films", tiny_backbone()
    train(
        folder,
        films,
        backbone,
        ORIGIN,
        replace(PLAN, config=replace(PLAN.config, label_steps=60, evaluate_every=60)),
        quiet,
    )
    assert {line["stage"] for line in lines(folder)} == {4}
    assert "on labels of whole images alone" in (folder / "CARD.md").read_text()
    encoder, bundle = HmarEncoder.load(folder), load_bundle(folder)
    assert bundle.info.network.frame_width == width
    codes = np.stack([encoder.encode(slice_frame(film, 0)).global_code for film in films])
    apart = np.bitwise_count(codes[:, None] ^ codes[None]).sum(axis=2)
    label = np.arange(24) % 2
    own = label[:, None] == label
    nearest = np.argsort(apart, axis=1, kind="stable")[:, 1:6]  # the first is the film itself
    assert (label[nearest] == label[:, None]).all()
    assert apart[own].mean() < apart[~own].mean() / 2
