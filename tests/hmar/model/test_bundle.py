import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from hmar.encoder import shipped_bundle
from hmar.errors import ModelError
from hmar.model.bundle import BACKBONE, CARD, CONFIG, SEALED, SUMS, TYPICALITY, WEIGHTS, fingerprint, seal
from hmar.model.config import NetworkConfig
from hmar.model.serving.heads import ServedExpert
from hmar.model.serving.model import load_served
from hmar.model.serving.pooling import pool_frame
from hmar.model.weights import load_bundle
from tests.models import write_model


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped_bundle(), tmp_path / "model"))


@pytest.mark.parametrize("name", SEALED)
def test_a_flipped_byte_anywhere_is_found(copy, name):
    path = copy / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    for load in (load_bundle, load_served):
        with pytest.raises(ModelError, match=name):
            load(copy)


@pytest.mark.parametrize("name", [*SEALED, SUMS])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    for load in (load_bundle, load_served):
        with pytest.raises(ModelError, match=name):
            load(copy)


@pytest.mark.parametrize("name", [BACKBONE, TYPICALITY])
def test_a_model_of_an_older_version_is_told_how_to_get_what_serves_it(copy, name):
    (copy / name).unlink()
    with pytest.raises(ModelError, match="hmar export-model"):
        load_served(copy)


@pytest.mark.parametrize("name", [BACKBONE, TYPICALITY])
def test_a_file_that_makes_no_sense_is_refused_though_sealed(copy, name):
    (copy / name).write_bytes(b"nonsense")
    seal(copy)
    with pytest.raises(ModelError, match=name):
        load_served(copy)


def test_another_format_is_refused_though_sealed(copy):
    config = copy / CONFIG
    config.write_text(config.read_text().replace("format = 1", "format = 99"))
    seal(copy)
    for load in (load_bundle, load_served):
        with pytest.raises(ModelError, match="format 99"):
            load(copy)


def test_weights_that_do_not_fit_the_configuration_are_refused_though_sealed(copy):
    config = copy / CONFIG
    config.write_text(config.read_text().replace("width = 64", "width = 32"))
    seal(copy)
    with pytest.raises(ModelError, match="cannot be read"):
        load_bundle(copy)


def test_tensors_that_are_missing_are_noticed_by_what_serves(copy):
    tensors = load_file(copy / WEIGHTS)
    save_file({k: v for k, v in tensors.items() if k != "local_expert.head.reduce.bias"}, copy / WEIGHTS)
    seal(copy)
    with pytest.raises(ModelError, match="cannot be read"):
        load_served(copy)


def test_the_fingerprint_is_of_configuration_and_weights_not_of_what_follows_from_them(copy):
    before = fingerprint(copy)
    for name in (CARD, BACKBONE, TYPICALITY):
        (copy / name).write_text("another")
    assert fingerprint(copy) == before
    (copy / CONFIG).write_text((copy / CONFIG).read_text() + "# changed\n")
    assert fingerprint(copy) != before


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelError, match="nowhere"):
        load_bundle(tmp_path / "nowhere")


@pytest.mark.parametrize("width", [0, 96])
def test_a_frame_may_be_pooled_from_more_channels_than_windows(tmp_path, width):
    written = write_model(tmp_path / "model", NetworkConfig(frame_width=width))
    bundle = load_bundle(tmp_path / "model")
    assert bundle.info.network.frame_width == width
    assert ("frame_width" in (tmp_path / "model" / CONFIG).read_text()) == (width > 0)
    channels = bundle.network.global_expert.project.out_channels
    assert (channels, bundle.network.local_expert.project.out_channels) == (width or 64, 64)
    feature_map = np.random.default_rng(0).normal(size=(7, 9, 112)).astype(np.float32)
    served = ServedExpert(
        {name: tensor.numpy() for name, tensor in bundle.network.global_expert.state_dict().items()}
    )
    logits = served.logits(served.project(pool_frame(feature_map)).reshape(1, -1))
    with torch.no_grad():
        expected = bundle.network.global_expert(torch.from_numpy(feature_map.transpose(2, 0, 1).copy())[None])
    assert logits == pytest.approx(expected.numpy(), abs=1e-3)
    assert written.config.frame_width == width
