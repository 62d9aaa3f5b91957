"""Training from Python: what it starts from, and what it refuses (the tutorial trains)."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra 'train' is not installed")
pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

import torch

import hmar
from hmar.encoder import shipped_bundle
from hmar.errors import ConfigError, ModelError, NotFoundError
from hmar.library.training import starting_backbone
from hmar.model.backbones.base import fold_batch_norm
from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone, SmoothLite0Backbone
from hmar.model.bundle import WEIGHTS, seal
from hmar.model.config import NetworkConfig
from hmar.model.weights import load_backbone, load_bundle
from hmar.training.config import PRESETS
from tests.models import write_model
from tests.phantoms import ct_file

pytestmark = pytest.mark.slow


def test_the_backbone_of_a_model_is_the_one_that_was_written(tmp_path: Path) -> None:
    written = write_model(tmp_path / "model", NetworkConfig(backbone="resnet50")).backbone.state_dict()
    loaded = load_backbone(tmp_path / "model")
    assert loaded.name == "resnet50"
    for name, tensor in loaded.state_dict().items():
        torch.testing.assert_close(tensor, written[name], rtol=0, atol=0)


def test_the_shipped_backbone_serves_what_the_shipped_model_serves() -> None:
    image = torch.rand(1, 3, 64, 64)
    folded = fold_batch_norm(load_backbone(shipped_bundle()))
    torch.testing.assert_close(folded(image), load_bundle(shipped_bundle()).network.backbone(image))


def test_a_model_whose_weights_lack_the_backbone_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    write_model(tmp_path / "model", NetworkConfig())
    file = tmp_path / "model" / WEIGHTS
    save_file({key: value for key, value in load_file(file).items() if not key.startswith("trunk.")}, file)
    seal(tmp_path / "model")
    with pytest.raises(ModelError, match="cannot be read"):
        load_backbone(tmp_path / "model")


def test_a_tail_that_is_trained_starts_without_blurs_on_the_same_weights() -> None:
    kept, tuned = (starting_backbone(PRESETS[name]) for name in ("open-ct", "archive"))
    assert (type(kept), type(tuned)) == (SmoothLite0Backbone, Lite0Backbone)
    for name, tensor in kept.state_dict().items():
        torch.testing.assert_close(tensor, tuned.state_dict()[name], rtol=0, atol=0)


def test_what_cannot_be_trained_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with hmar.Archive(model="thumbnail") as archive:
        archive.add(ct_file(1, 1))
        with pytest.raises(ConfigError, match=r"no preset 'best'.*open-ct"):
            hmar.train_model(out, archive, settings="best")
        with pytest.raises(NotFoundError, match="no series of 8 or more slices"):
            hmar.train_model(out, archive)
    assert not out.exists()
