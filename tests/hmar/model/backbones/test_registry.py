import pytest
import torch

from hmar.errors import ModelError
from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone
from hmar.model.backbones.registry import BACKBONES, build_backbone
from hmar.model.bundle import CONFIG
from hmar.model.config import NetworkConfig
from hmar.model.weights import load_bundle, load_weights
from tests.models import write_model


@pytest.mark.parametrize("name", BACKBONES)
def test_a_backbone_is_built_by_its_name(name):
    backbone = build_backbone(name)
    assert backbone.name == name
    assert backbone(torch.rand(1, 3, 48, 64)).shape == (1, backbone.channels, 3, 4)


def test_an_unknown_backbone_is_refused_with_those_that_there_are():
    with pytest.raises(ModelError, match=r"'vgg16'.*lite0, lite0-smooth, resnet50, densenet121"):
        build_backbone("vgg16")


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_scales_black_and_white_to_about_minus_one_and_one(name):
    black, white = build_backbone(name).normalise(torch.tensor([0.0, 1.0])).tolist()
    assert (black, white) == pytest.approx((-1, 1), abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", BACKBONES)
def test_a_model_is_loaded_with_the_backbone_that_its_configuration_names(name, tmp_path):
    network = write_model(tmp_path / "model", NetworkConfig(backbone=name))
    assert f'trunk = "{name}"' in (tmp_path / "model" / CONFIG).read_text()
    bundle = load_bundle(tmp_path / "model")
    assert bundle.network.config == network.config
    assert type(bundle.network.backbone) is BACKBONES[name]
    image = torch.rand(1, 3, 96, 96)
    assert torch.allclose(bundle.network(image), network(image), rtol=1e-3, atol=1e-3)


def test_a_configuration_without_a_backbone_means_lite0(tmp_path):
    write_model(tmp_path, NetworkConfig())
    config = tmp_path / CONFIG
    config.write_text(config.read_text().replace('trunk = "lite0"\n', ""))
    assert "trunk" not in config.read_text()
    assert isinstance(load_weights(tmp_path).network.backbone, Lite0Backbone)


def test_a_configuration_with_an_unknown_backbone_is_refused(tmp_path):
    write_model(tmp_path, NetworkConfig())
    config = tmp_path / CONFIG
    config.write_text(config.read_text().replace('"lite0"', '"vgg16"'))
    with pytest.raises(ModelError, match="vgg16"):
        load_weights(tmp_path)


def test_weights_of_another_backbone_are_refused(tmp_path):
    write_model(tmp_path, NetworkConfig())
    config = tmp_path / CONFIG
    config.write_text(config.read_text().replace('"lite0"', '"resnet50"'))
    with pytest.raises(ModelError, match="cannot be read"):
        load_weights(tmp_path)
