from pathlib import Path

import pytest
import torch

from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.errors import ModelError
from hmar.model.backbone import Lite0Trunk
from hmar.model.bundle import CARD, CONFIG, GOLDEN, load_bundle, load_weights, seal, write_weights
from hmar.model.network import HmarNetwork, NetworkConfig
from hmar.model.trunks import TRUNKS, build_trunk
from hmar.types import GridConfig, WindowConfig
from tests.frames import textured_frame


def written(folder: Path, trunk: str) -> HmarNetwork:
    torch.manual_seed(0)
    network = HmarNetwork(NetworkConfig(trunk=trunk)).eval().requires_grad_(False)
    write_weights(folder, folder.name, network, GridConfig(), WindowConfig())
    (folder / CARD).write_text("card")
    (folder / GOLDEN).touch()
    seal(folder)
    return network


@pytest.mark.parametrize("name", TRUNKS)
def test_a_trunk_is_built_by_its_name(name):
    trunk = build_trunk(name)
    assert trunk.name == name
    assert trunk(torch.rand(1, 3, 48, 64)).shape == (1, trunk.channels, 3, 4)


def test_an_unknown_trunk_is_refused_with_those_that_there_are():
    with pytest.raises(ModelError, match=r"'vgg16'.*lite0, resnet50, densenet121"):
        build_trunk("vgg16")


@pytest.mark.parametrize("name", TRUNKS)
def test_every_trunk_scales_black_and_white_to_about_minus_one_and_one(name):
    black, white = build_trunk(name).normalise(torch.tensor([0.0, 1.0])).tolist()
    assert (black, white) == pytest.approx((-1, 1), abs=0.01)


@pytest.mark.parametrize("name", TRUNKS)
def test_a_model_is_loaded_with_the_trunk_that_its_configuration_names(name, tmp_path):
    network = written(tmp_path / "model", name)
    assert f'trunk = "{name}"' in (tmp_path / "model" / CONFIG).read_text()
    bundle = load_bundle(tmp_path / "model")
    assert bundle.network.config == network.config
    assert type(bundle.network.trunk) is TRUNKS[name]
    image = torch.rand(1, 3, 96, 96)
    assert torch.allclose(bundle.network(image), network(image), rtol=1e-3, atol=1e-3)
    encoded = HmarEncoder(bundle).encode(textured_frame(0))
    assert len(encoded.window_codes) == len(encoded.window_ids) > 0


def test_a_configuration_without_a_trunk_means_lite0():
    assert "trunk" not in (shipped_bundle() / CONFIG).read_text()
    assert isinstance(load_bundle(shipped_bundle()).network.trunk, Lite0Trunk)


def test_a_configuration_with_an_unknown_trunk_is_refused(tmp_path):
    written(tmp_path, "lite0")
    config = tmp_path / CONFIG
    config.write_text(config.read_text().replace('"lite0"', '"vgg16"'))
    with pytest.raises(ModelError, match="vgg16"):
        load_weights(tmp_path)


def test_weights_of_another_trunk_are_refused(tmp_path):
    written(tmp_path, "lite0")
    config = tmp_path / CONFIG
    config.write_text(config.read_text().replace('"lite0"', '"resnet50"'))
    with pytest.raises(ModelError, match="cannot be read"):
        load_weights(tmp_path)
