"""A backbone: ResNet-50 cut at stride 16.

He et al., CVPR 2016, with the stride in the 3x3 convolution, as the published PyTorch weights have it.
Parameter names are those of the published state dicts, so that their tensors load by name.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from hmar.model.backbones.base import Backbone

_EXPANSION = 4


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions beside a shortcut, which is projected where shapes differ.

    Parameters
    ----------
    inputs : int
        Channels that come in.
    width : int
        Channels of the 3x3 convolution; four times as many go out.
    stride : int
    trail : bool
        Pad the 3x3 convolution, which then has stride 2, on the right and bottom only, and shift the shortcut
        alike: cells are centred half a cell farther down and right than with padding on all sides.
    """

    FOLDS: ClassVar = (
        ("conv1", "bn1"),
        ("conv2", "bn2"),
        ("conv3", "bn3"),
        ("downsample.0", "downsample.1"),
    )

    def __init__(self, inputs: int, width: int, stride: int = 1, *, trail: bool = False) -> None:
        super().__init__()
        outputs = width * _EXPANSION
        self.trail = trail
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=0 if trail else 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, 4 * width, H / stride, W / stride)."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(F.pad(y, (0, 1, 0, 1)) if self.trail else y)))
        shortcut: Tensor = self.downsample(x[:, :, 1:, 1:] if self.trail else x)
        return F.relu(self.bn3(self.conv3(y)) + shortcut)


def resnet_layer(inputs: int, width: int, blocks: int, stride: int, *, trail: bool = False) -> nn.Sequential:
    """Return one of the network's four layers: bottlenecks of which the first strides."""
    first = Bottleneck(inputs, width, stride, trail=trail)
    return nn.Sequential(first, *(Bottleneck(width * _EXPANSION, width) for _ in range(blocks - 1)))


class ResNet50Backbone(Backbone):
    """ResNet-50 up to layer3: stride 16, 1024 channels, 8.54 M parameters.

    Every stride-2 step of the published network looks half a pixel of its input up and left: together 7.5
    pixels at stride 16. The last one is turned round here (``trail``), which leaves half a pixel; the weights
    do not change, the map is the published one of the image shifted by half a cell.
    """

    name = "resnet50"
    channels = 1024
    FOLDS: ClassVar = (("conv1", "bn1"),)

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = resnet_layer(64, 64, 3, 1)
        self.layer2 = resnet_layer(256, 128, 4, 2)
        self.layer3 = resnet_layer(512, 256, 6, 2, trail=True)

    def normalise(self, x: Tensor) -> Tensor:
        """Scale 0..1 to -1..1, as RadImageNet's PyTorch example does: ``(255 x - 127.5) * 2 / 255``."""
        return x * 2 - 1

    def stem(self, x: Tensor) -> Tensor:
        """Map normalised images (B, 3, H, W) to features (B, 1024, H / 16, W / 16)."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, padding=1)  # (B, 64, H / 4, W / 4)
        features: Tensor = self.layer3(self.layer2(self.layer1(x)))
        return features
