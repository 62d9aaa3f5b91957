import pytest
import torch

from hmar.model.backbones.base import STRIDE, fold_batch_norm
from hmar.model.backbones.densenet import DenseNet121Trunk, dense_block, transition
from tests.hmar.model.backbones.published import densenet_features, densenet_state


@pytest.fixture(scope="module")
def trunk() -> DenseNet121Trunk:
    trunk = DenseNet121Trunk().eval().requires_grad_(False)
    state = densenet_state()
    trunk.load_state_dict({name: state[f"features.{name}"] for name in trunk.state_dict()})
    return trunk


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_with_what_lies_behind_the_cut_it_has_the_published_6_953_856_parameters(trunk):
    assert count(trunk) == 4_269_440
    behind = count(transition(1024).conv) + count(dense_block(512, 16)) + count(torch.nn.BatchNorm2d(1024))
    assert count(trunk) + behind == 6_953_856


def test_its_names_are_the_published_ones_up_to_the_norm_of_transition3():
    behind = ("transition3.conv.", "denseblock4.", "norm5.")
    names = [name.removeprefix("features.") for name in densenet_state()]
    assert sorted(DenseNet121Trunk().state_dict()) == sorted(n for n in names if not n.startswith(behind))


@pytest.mark.parametrize(("height", "width"), [(48, 48), (96, 64), (112, 208)])
def test_it_gives_1024_channels_at_stride_16(trunk, height, width):
    features = trunk(torch.rand(2, 3, height, width))
    assert features.shape == (2, DenseNet121Trunk.channels, height // STRIDE, width // STRIDE)


def test_its_map_is_the_published_one(trunk):
    image = torch.rand(2, 3, 96, 128)
    expected = densenet_features(densenet_state(), image * 2 - 1)
    assert torch.allclose(trunk(image), expected, rtol=1e-3, atol=1e-3)


def test_folding_takes_the_norms_behind_convolutions_leaves_the_others_and_changes_nothing(trunk):
    image = torch.rand(1, 3, 96, 96)
    folded = fold_batch_norm(trunk)
    left = [name for name, module in folded.named_modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert len(left) == 6 + 12 + 24 + 3
    assert all(
        name.endswith(("norm1", "transition1.norm", "transition2.norm", "transition3.norm")) for name in left
    )
    assert torch.allclose(folded(image), trunk(image), rtol=1e-3, atol=1e-3)


def test_a_cell_sees_what_lies_around_its_centre():
    torch.manual_seed(0)
    trunk = DenseNet121Trunk().eval()
    with torch.no_grad():
        for module in trunk.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.weight.abs_().div_(module.weight[0].sum())
    image = torch.rand(1, 3, 320, 320, requires_grad=True)
    trunk.stem(image)[0, :, 10, 10].sum().backward()
    weight = image.grad[0].sum(0)
    at = torch.arange(320) + 0.5
    centre = ((weight.sum(1) * at).sum() / weight.sum(), (weight.sum(0) * at).sum() / weight.sum())
    assert centre == pytest.approx((10.5 * STRIDE, 10.5 * STRIDE), abs=2.0)
