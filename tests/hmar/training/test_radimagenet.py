import logging
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from hmar.errors import ModelError
from hmar.model.backbones.base import Backbone
from hmar.model.backbones.registry import BACKBONES, build_backbone
from hmar.training.radimagenet import load_radimagenet
from tests.hmar.model.backbones.published import State, densenet_state, resnet_state

pytestmark = pytest.mark.slow

STATES = {"resnet50": resnet_state(), "densenet121": densenet_state()}
IMAGE = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def renamed(state: State, *renames: tuple[str, str]) -> State:
    for pattern, replacement in renames:
        state = {re.sub(pattern, replacement, name): tensor for name, tensor in state.items()}
    return state


def radimagenet(name: str) -> State:
    """The names of the files that RadImageNet publishes."""
    if name == "densenet121":
        return renamed(STATES[name], (r"^features\.", "backbone.0."))
    layers = ((rf"^layer{n}\.", f"backbone.{n + 3}.") for n in (1, 2, 3, 4))
    return renamed(STATES[name], (r"^conv1\.", "backbone.0."), (r"^bn1\.", "backbone.1."), *layers)


def torchvision(name: str) -> State:
    last = {"resnet50": "fc", "densenet121": "classifier"}[name]
    channels = {"resnet50": 2048, "densenet121": 1024}[name]
    return STATES[name] | {f"{last}.weight": torch.zeros(5, channels), f"{last}.bias": torch.zeros(5)}


LAYOUTS = {
    "radimagenet": radimagenet,
    "torchvision": torchvision,
    "radimagenet, parallel": lambda name: renamed(radimagenet(name), ("^", "module.")),
    "torchvision, parallel": lambda name: renamed(torchvision(name), ("^", "module.")),
    "a sequence": lambda name: renamed(radimagenet(name), (r"^backbone\.", "")),
    "torchvision before 0.3": lambda name: renamed(torchvision(name), (r"(denselayer\d+\.[a-z]+)", r"\1.")),
    "without counters": lambda name: {n: t for n, t in radimagenet(name).items() if "tracked" not in n},
}


def expected(name: str) -> Backbone:
    backbone = build_backbone(name).eval().requires_grad_(False)
    state = renamed(STATES[name], (r"^features\.", ""))
    backbone.load_state_dict({own: state[own] for own in backbone.state_dict()})
    return backbone


def saved(state: object, folder: Path) -> Path:
    path = folder / "weights.pt"
    torch.save(state, path)
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", STATES)
def test_every_way_of_naming_gives_the_same_frozen_backbone(name, layout, tmp_path):
    backbone = load_radimagenet(saved(LAYOUTS[layout](name), tmp_path))
    assert type(backbone) is BACKBONES[name]
    assert not backbone.training
    assert not any(parameter.requires_grad for parameter in backbone.parameters())
    assert torch.equal(backbone(IMAGE), expected(name)(IMAGE))


def test_safetensors_are_read_too(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file(radimagenet("densenet121"), path)
    assert torch.equal(load_radimagenet(path)(IMAGE), expected("densenet121")(IMAGE))


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (resnet_state((3, 4, 23, 3)), "not of the backbone resnet50.* layer3.6.conv1.weight"),
        (densenet_state((6, 12, 32, 32)), "not of the backbone densenet121"),
    ],
)
def test_a_deeper_network_of_the_family_is_refused(state, message, tmp_path):
    with pytest.raises(ModelError, match=message):
        load_radimagenet(saved(state, tmp_path))


def test_another_network_is_refused_with_what_matched_and_what_the_file_holds(tmp_path):
    path = saved({"stem.weight": torch.ones(2), "head.weight": torch.ones(2)}, tmp_path)
    with pytest.raises(ModelError, match=r"holds 0 of the \d+ .*begins with: stem.weight, head.weight"):
        load_radimagenet(path)


def test_fewer_than_99_of_a_hundred_tensors_are_refused_by_number_and_name(tmp_path):
    state = radimagenet("resnet50")
    for part in ("weight", "bias", "running_mean"):
        del state[f"backbone.1.{part}"]
    with pytest.raises(ModelError, match=r"212 of the 215 .*: bn1.weight, bn1.bias, bn1.running_mean;"):
        load_radimagenet(saved(state, tmp_path))


def test_a_missing_statistic_is_told_in_the_log(tmp_path, caplog):
    state = radimagenet("resnet50")
    del state["backbone.1.running_mean"]
    with caplog.at_level(logging.WARNING):
        backbone = load_radimagenet(saved(state, tmp_path))
    assert "bn1.running_mean" in caplog.text
    assert not backbone.get_buffer("bn1.running_mean").any()


@pytest.mark.parametrize("change", ["missing", "of one channel"])
def test_a_single_convolution_that_does_not_fit_is_refused(change, tmp_path):
    state = radimagenet("resnet50")
    first = state.pop("backbone.0.weight")
    if change == "of one channel":
        state["backbone.0.weight"] = first.sum(dim=1, keepdim=True)
    with pytest.raises(ModelError, match=r"214 of the 215 .*: conv1.weight"):
        load_radimagenet(saved(state, tmp_path))


class Bomb:
    def __init__(self, at: Path) -> None:
        self.at = at

    def __reduce__(self):
        return (self.at.touch, ())


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickled_object_is_refused_and_not_run(zipped, tmp_path):
    path, exploded = tmp_path / "weights.pt", tmp_path / "exploded"
    state = {"backbone.0.weight": torch.ones(2), "bomb": Bomb(exploded)}
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ModelError, match="cannot be read"):
        load_radimagenet(path)
    assert not exploded.exists()


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights at all", b"PK\x03\x04 cut off", b"\x80\x02]q\x00."])
def test_a_file_that_is_no_state_dict_is_refused(content, suffix, tmp_path):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"weights\."):
        load_radimagenet(path)


@pytest.mark.parametrize("value", [[torch.ones(2)], {"state_dict": {"a": torch.ones(2)}}, torch.ones(2)])
def test_tensors_without_names_are_refused(value, tmp_path):
    with pytest.raises(ModelError, match="without tensors by name"):
        load_radimagenet(saved(value, tmp_path))
