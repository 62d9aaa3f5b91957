"""A backbone: DenseNet-121 cut at stride 16 (Huang et al., CVPR 2017).

Parameter names are those of the published state dicts, so that their tensors load by name.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hmar.model.backbones.base import Backbone

GROWTH = 32
_BOTTLENECK = 4 * GROWTH


class DenseLayer(nn.Module):
    """Computes 32 channels from its input and appends them to it."""

    FOLDS: ClassVar = (("conv1", "norm2"),)

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, _BOTTLENECK, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(_BOTTLENECK)
        self.conv2 = nn.Conv2d(_BOTTLENECK, GROWTH, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C + 32, H, W)."""
        y = self.conv1(F.relu(self.norm1(x)))
        y = self.conv2(F.relu(self.norm2(y)))
        return torch.cat([x, y], dim=1)


def dense_block(inputs: int, layers: int) -> nn.Sequential:
    """Return a block of dense layers: C channels -> C + 32 * layers."""
    return nn.Sequential(
        OrderedDict((f"denselayer{i + 1}", DenseLayer(inputs + i * GROWTH)) for i in range(layers))
    )


def transition(inputs: int) -> nn.Sequential:
    """Return the layers between blocks: norm, ReLU, half the channels, half the resolution."""
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(inputs),
            relu=nn.ReLU(),
            conv=nn.Conv2d(inputs, inputs // 2, 1, bias=False),
            pool=nn.AvgPool2d(2),
        )
    )


class DenseNet121Backbone(Backbone):
    """DenseNet-121 up to denseblock3 and the norm behind it: stride 16, 1024 channels, 4.27 M parameters.

    A block concatenates channels of very different scale, since each layer normalises its own input. The norm
    and ReLU of transition3, which follow the block in the published network, make them comparable.

    Cells are centred 1.5 pixels up and left of their place, by the stem; average pooling shifts nothing.
    """

    name = "densenet121"
    channels = 1024
    FOLDS: ClassVar = (("conv0", "norm0"),)

    def __init__(self) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.norm0 = nn.BatchNorm2d(64)
        self.denseblock1 = dense_block(64, 6)
        self.transition1 = transition(256)
        self.denseblock2 = dense_block(128, 12)
        self.transition2 = transition(512)
        self.denseblock3 = dense_block(256, 24)
        self.transition3 = nn.Sequential(OrderedDict(norm=nn.BatchNorm2d(1024), relu=nn.ReLU()))

    def normalise(self, x: Tensor) -> Tensor:
        """Scale 0..1 to -1..1, as RadImageNet's PyTorch example does: ``(255 x - 127.5) * 2 / 255``."""
        return x * 2 - 1

    def stem(self, x: Tensor) -> Tensor:
        """Map normalised images (B, 3, H, W) to features (B, 1024, H / 16, W / 16)."""
        x = F.max_pool2d(F.relu(self.norm0(self.conv0(x))), 3, 2, padding=1)  # (B, 64, H / 4, W / 4)
        x = self.transition1(self.denseblock1(x))  # (B, 128, H / 8, W / 8)
        x = self.transition2(self.denseblock2(x))  # (B, 256, H / 16, W / 16)
        features: Tensor = self.transition3(self.denseblock3(x))
        return features
