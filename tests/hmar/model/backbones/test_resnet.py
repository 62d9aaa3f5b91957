import pytest
import torch
from torch.nn import functional as F

from hmar.model.backbones.base import STRIDE, fold_batch_norm
from hmar.model.backbones.resnet import ResNet50Backbone, resnet_layer
from tests.hmar.model.backbones.published import resnet_layer2, resnet_layer3, resnet_state


@pytest.fixture(scope="module")
def backbone() -> ResNet50Backbone:
    backbone = ResNet50Backbone().eval().requires_grad_(False)
    state = resnet_state()
    backbone.load_state_dict({name: state[name] for name in backbone.state_dict()})
    return backbone


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.slow
def test_with_the_layer_behind_the_cut_it_has_the_published_23_508_032_parameters(backbone):
    assert count(backbone) == 8_543_296
    assert count(backbone) + count(resnet_layer(1024, 512, 3, 2)) == 23_508_032


@pytest.mark.slow
def test_its_names_are_the_published_ones_up_to_layer3():
    published = [name for name in resnet_state() if not name.startswith("layer4.")]
    assert sorted(ResNet50Backbone().state_dict()) == sorted(published)


@pytest.mark.slow
@pytest.mark.parametrize(("height", "width"), [(48, 48), (96, 64), (112, 208)])
def test_it_gives_1024_channels_at_stride_16(backbone, height, width):
    features = backbone(torch.rand(2, 3, height, width))
    assert features.shape == (2, ResNet50Backbone.channels, height // STRIDE, width // STRIDE)


@pytest.mark.slow
def test_its_map_is_the_published_one_half_a_cell_on(backbone):
    image = torch.rand(1, 3, 320, 320)
    at_stride_8 = resnet_layer2(resnet_state(), image * 2 - 1)
    half_a_cell_on = F.pad(at_stride_8[:, :, 1:, 1:], (0, 1, 0, 1))
    expected = resnet_layer3(resnet_state(), half_a_cell_on)
    inner = slice(7, -7)  # layer3 reaches 6 cells: beyond it the edges do not show
    assert torch.allclose(
        backbone(image)[..., inner, inner], expected[..., inner, inner], rtol=1e-3, atol=1e-3
    )


def test_folding_batch_norms_changes_nothing(backbone):
    image = torch.rand(1, 3, 96, 96)
    folded = fold_batch_norm(backbone)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    assert torch.allclose(folded(image), backbone(image), rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_a_cell_sees_what_lies_around_its_centre():
    torch.manual_seed(0)
    backbone = ResNet50Backbone().eval()
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
