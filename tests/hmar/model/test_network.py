import numpy as np
import pytest
import torch

from hmar.image.windows import cover
from hmar.model.backbones.efficientnet_lite0 import (
    CHANNELS,
    STRIDE,
    BlurredStride,
    Lite0Backbone,
    SmoothLite0Backbone,
    fold_batch_norm,
    load_published,
)
from hmar.model.experts import pool
from hmar.model.router import Router
from hmar.model.tags import MODALITIES, REGIONS, modality_index, region_index

BACKBONES = (Lite0Backbone, SmoothLite0Backbone)


@pytest.fixture(scope="module", params=BACKBONES)
def backbone(request: pytest.FixtureRequest) -> Lite0Backbone:
    return drawn(request.param)


def drawn(backbone_class: type[Lite0Backbone]) -> Lite0Backbone:
    torch.manual_seed(0)
    backbone = backbone_class().eval().requires_grad_(False)
    for module in backbone.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return backbone


def test_the_backbone_gives_112_channels_at_stride_16(backbone):
    assert backbone(torch.rand(1, 3, 96, 64)).shape == (1, CHANNELS, 96 // STRIDE, 64 // STRIDE)


def test_folding_batch_norms_changes_nothing(backbone):
    image = torch.rand(1, 3, 128, 128)
    assert torch.allclose(fold_batch_norm(backbone)(image), backbone(image), rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_a_shift_by_whole_cells_shifts_the_map(backbone):
    image = torch.rand(1, 3, 768, 768)
    shifted = torch.roll(image, (STRIDE, 2 * STRIDE), (2, 3))
    inner = slice(18, 30)  # beyond the reach of the edges
    expected = backbone(image)[:, :, inner, inner]
    assert torch.allclose(backbone(shifted)[:, :, 19:31, 20:32], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("backbone_class", BACKBONES)
def test_a_cell_sees_what_lies_around_its_centre(backbone_class):
    torch.manual_seed(0)
    backbone = backbone_class().eval()
    with torch.no_grad():
        for module in backbone.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.weight.abs_().div_(module.weight[0].sum())
    image = torch.rand(1, 3, 512, 512, requires_grad=True)
    backbone(image)[0, :, 16, 16].sum().backward()
    weight = image.grad[0].abs().sum(0)
    rows, columns = torch.arange(512) + 0.5, torch.arange(512) + 0.5
    centre = ((weight.sum(1) * rows).sum() / weight.sum(), (weight.sum(0) * columns).sum() / weight.sum())
    assert centre == pytest.approx((16.5 * STRIDE, 16.5 * STRIDE), abs=2.0)


@pytest.mark.parametrize(("lead", "centre"), [(True, 0), (False, 1)])
def test_a_blurred_stride_takes_the_mean_around_every_second_cell(lead, centre):
    row = torch.tensor([4.0, 0.0, 8.0, 0.0, 0.0, 12.0])
    image = row.expand(1, 2, 6, 6).clone()
    image[0, 1] *= 2
    padded = np.pad(row.numpy(), 1, mode="edge")
    expected = [padded[i : i + 3] @ [0.25, 0.5, 0.25] for i in range(centre, 6, 2)]
    blurred = BlurredStride(2, lead=lead)(image)
    assert blurred.shape == (1, 2, 3, 3)
    assert blurred[0, 0].numpy() == pytest.approx(np.tile(expected, (3, 1)))
    assert torch.allclose(blurred[0, 1], 2 * blurred[0, 0])


@pytest.mark.slow
def test_behind_a_blur_a_shift_by_half_a_cell_changes_less():
    torch.manual_seed(1)
    image = torch.rand(1, 3, 256, 256)
    shifted = torch.roll(image, (STRIDE // 2, STRIDE // 2), (2, 3))
    changes = []
    for backbone_class in BACKBONES:
        backbone = drawn(backbone_class)
        first, second = (backbone(each)[:, :, 4:12, 4:12] for each in (image, shifted))
        changes.append(float((first - second).norm() / first.norm()))
    assert changes[1] < 0.9 * changes[0]


def test_weights_are_the_same_with_and_without_the_blur():
    sharp, smooth = (drawn(backbone_class).state_dict() for backbone_class in BACKBONES)
    assert list(sharp) == list(smooth)
    assert all(torch.equal(sharp[name], smooth[name]) for name in sharp)


def test_a_published_state_dict_must_match_in_every_tensor(backbone):
    state = backbone.state_dict()
    load_published(Lite0Backbone(), state)
    with pytest.raises(ValueError, match="1 of"):
        load_published(Lite0Backbone(), {k: v for k, v in state.items() if k != "_conv_stem.weight"})


def test_pooling_a_window_averages_its_parts():
    feature_map = torch.rand(4, 10, 12)
    rows, columns = np.array([0, 4]), np.array([1, 5, 6])
    pooled = pool(
        feature_map, torch.from_numpy(cover(rows, 6, 3, 10)), torch.from_numpy(cover(columns, 6, 3, 12))
    )
    assert pooled.shape == (2, 3, 4 * 9)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            crop = feature_map[:, row : row + 6, column : column + 6]
            expected = torch.nn.functional.avg_pool2d(crop, 2).flatten()
            assert torch.allclose(pooled[i, j], expected, atol=1e-5)


def test_gates_sum_to_one_and_tags_replace_the_routers_reading():
    torch.manual_seed(0)
    router = Router(CHANNELS)
    backbone_map = torch.randn(2, CHANNELS, 4, 4)
    unknown = torch.tensor([-1, -1])
    blind = router(backbone_map, unknown, unknown)
    assert torch.allclose(blind.gate.sum(dim=1), torch.ones(2))
    assert blind.modality.shape == (2, len(MODALITIES))
    assert blind.region.shape == (2, len(REGIONS))
    tagged = router(backbone_map, torch.tensor([1, -1]), unknown)
    assert not torch.allclose(tagged.gate[0], blind.gate[0])
    assert torch.allclose(tagged.gate[1], blind.gate[1])


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("CT", 0), ("MR", 1), ("DX", 2), ("CR", 2), ("US", 3), ("PT", 4), ("OT", None), ("", None)],
)
def test_modalities_are_told_by_their_tag(tag, expected):
    assert modality_index(tag) == expected


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("CHEST", "CHEST"),
        ("Lung", "CHEST"),
        ("HEAD", "HEAD"),
        ("LSPINE", "ABDOMEN"),
        ("ABDOMENPELVIS", None),
        ("PARTIALBODY", None),
        (None, None),
    ],
)
def test_body_regions_are_told_by_their_tag_unless_it_is_ambiguous(tag, expected):
    index = region_index(tag)
    assert (None if index is None else REGIONS[index]) == expected
