import pytest
import torch

from hmar.model.backbones.base import STRIDE, fold_batch_norm
from hmar.model.backbones.densenet import DenseNet121Backbone, dense_block, transition
from tests.hmar.model.backbones.published import densenet_features, densenet_state


@pytest.fixture(scope="module")
def backbone() -> DenseNet121Backbone:
    backbone = DenseNet121Backbone().eval().requires_grad_(False)
    state = densenet_state()
    backbone.load_state_dict({name: state[f"features.{name}"] for name in backbone.state_dict()})
    return backbone


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.slow
def test_with_what_lies_behind_the_cut_it_has_the_published_6_953_856_parameters(backbone):
    assert count(backbone) == 4_269_440
    behind = count(transition(1024).conv) + count(dense_block(512, 16)) + count(torch.nn.BatchNorm2d(1024))
    assert count(backbone) + behind == 6_953_856


def test_its_names_are_the_published_ones_up_to_the_norm_of_transition3():
    behind = ("transition3.conv.", "denseblock4.", "norm5.")
    names = [name.removeprefix("features.") for name in densenet_state()]
    assert sorted(DenseNet121Backbone().state_dict()) == sorted(n for n in names if not n.startswith(behind))


@pytest.mark.slow
@pytest.mark.parametrize(("height", "width"), [(48, 48), (96, 64), (112, 208)])
def test_it_gives_1024_channels_at_stride_16(backbone, height, width):
    features = backbone(torch.rand(2, 3, height, width))
    assert features.shape == (2, DenseNet121Backbone.channels, height // STRIDE, width // STRIDE)


@pytest.mark.slow
def test_its_map_is_the_published_one(backbone):
    image = torch.rand(2, 3, 96, 128)
    expected = densenet_features(densenet_state(), image * 2 - 1)
    assert torch.allclose(backbone(image), expected, rtol=1e-3, atol=1e-3)


def test_folding_takes_the_norms_behind_convolutions_leaves_the_others_and_changes_nothing(backbone):
    image = torch.rand(1, 3, 96, 96)
    folded = fold_batch_norm(backbone)
    left = [name for name, module in folded.named_modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert len(left) == 6 + 12 + 24 + 3
    assert all(
        name.endswith(("norm1", "transition1.norm", "transition2.norm", "transition3.norm")) for name in left
    )
    assert torch.allclose(folded(image), backbone(image), rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_a_cell_sees_what_lies_around_its_centre():
    torch.manual_seed(0)
    backbone = DenseNet121Backbone().eval()
    with torch.no_grad():
        for module in backbone.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.weight.abs_().div_(module.weight[0].sum())
    image = torch.rand(1, 3, 320, 320, requires_grad=True)
    backbone.stem(image)[0, :, 10, 10].sum().backward()
    weight = image.grad[0].sum(0)
    at = torch.arange(320) + 0.5
    centre = ((weight.sum(1) * at).sum() / weight.sum(), (weight.sum(0) * at).sum() / weight.sum())
    assert centre == pytest.approx((10.5 * STRIDE, 10.5 * STRIDE), abs=2.0)
