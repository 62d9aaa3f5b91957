"""The shipped model's backbone: EfficientNet-Lite0 cut at stride 16.

Tan & Le, ICML 2019, without squeeze-excitation. Parameter names are those of the published state
dict, so that its tensors load unchanged.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hmar.model.backbones.base import STRIDE, Backbone, fold_batch_norm

__all__ = [
    "CHANNELS",
    "STRIDE",
    "BlurredStride",
    "InvertedResidual",
    "Lite0Backbone",
    "SameConv2d",
    "SmoothLite0Backbone",
    "fold_batch_norm",
    "load_published",
]

CHANNELS = 112


class _BlockSpec(NamedTuple):
    kernel: int
    stride: int
    expand: int
    out_channels: int
    lead: bool = False
    """Pad a stride-2 convolution on the left and top, not on the right and bottom."""
    smooth: bool = False
    """Blur and subsample after the convolution, in place of its stride."""


# TensorFlow's "same" padding shifts the map by half a pixel of its input at each stride, always to one side:
# 7.5 pixels in all at stride 16. Leading padding at the last stride reverses its share, which leaves half a
# pixel.
_BLOCKS = (
    _BlockSpec(3, 1, 1, 16),
    _BlockSpec(3, 2, 6, 24),
    _BlockSpec(3, 1, 6, 24),
    _BlockSpec(5, 2, 6, 40),
    _BlockSpec(5, 1, 6, 40),
    _BlockSpec(3, 2, 6, 80, lead=True),
    _BlockSpec(3, 1, 6, 80),
    _BlockSpec(3, 1, 6, 80),
    _BlockSpec(5, 1, 6, 112),
    _BlockSpec(5, 1, 6, 112),
    _BlockSpec(5, 1, 6, 112),
)

_TAIL = 5
"""The first block of the tail: its maps are small, and it has nearly all parameters."""


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class SameConv2d(nn.Conv2d):
    """A convolution padded so that a side divisible by the stride comes out divided by it."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.lead = False

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H / stride, W / stride)."""
        total = self.kernel_size[0] - self.stride[0]
        after = total // 2 if self.lead else total - total // 2
        before = total - after
        padded = F.pad(x, (before, after, before, after)) if total else x
        return F.conv2d(padded, self.weight, self.bias, self.stride, groups=self.groups)


class BlurredStride(nn.Module):
    """Blur a map with 1, 2, 1, and halve its sides (Zhang, ICML 2019).

    A shift of the image by half a stride changes the output of a convolution with stride 2; with a blur
    before subsampling, it changes less.

    Parameters
    ----------
    channels : int
    lead : bool
        Keep the cells that a convolution with leading padding keeps: the first of each pair, not the second.
    """

    kernel: Tensor

    def __init__(self, channels: int, *, lead: bool) -> None:
        super().__init__()
        self._margins = (1, 0, 1, 0) if lead else (0, 1, 0, 1)
        row = torch.tensor([0.25, 0.5, 0.25])
        kernel = (row[:, None] * row).expand(channels, 1, -1, -1).contiguous()
        self.register_buffer("kernel", kernel, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H / 2, W / 2)."""
        padded = F.pad(x, self._margins, mode="replicate")
        return F.conv2d(padded, self.kernel, None, 2, groups=x.shape[1])


class InvertedResidual(nn.Module):
    """Expand, depthwise convolution, project; residual where shapes agree (MobileNetV2)."""

    FOLDS: ClassVar = (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))

    def __init__(self, inputs: int, spec: _BlockSpec) -> None:
        super().__init__()
        inner = inputs * spec.expand
        self.expands = spec.expand != 1
        if self.expands:
            self._expand_conv = SameConv2d(inputs, inner, 1)
            self._bn0 = _batch_norm(inner)
        stride = 1 if spec.smooth else spec.stride
        self._depthwise_conv = SameConv2d(inner, inner, spec.kernel, stride, groups=inner)
        self._depthwise_conv.lead = spec.lead
        self.blur = BlurredStride(inner, lead=spec.lead) if spec.smooth else nn.Identity()
        self._bn1 = _batch_norm(inner)
        self._project_conv = SameConv2d(inner, spec.out_channels, 1)
        self._bn2 = _batch_norm(spec.out_channels)
        self.residual = spec.stride == 1 and inputs == spec.out_channels

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H / stride, W / stride)."""
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = self.blur(F.relu6(self._bn1(self._depthwise_conv(y))))
        projected: Tensor = self._bn2(self._project_conv(y))
        return x + projected if self.residual else projected


class Lite0Backbone(Backbone):
    """EfficientNet-Lite0 up to block 10: stride 16, 112 channels, 0.70 M parameters."""

    name = "lite0"
    channels = CHANNELS
    FOLDS: ClassVar = (("_conv_stem", "_bn0"),)
    blocks: ClassVar[tuple[_BlockSpec, ...]] = _BLOCKS

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConv2d(3, 32, 3, 2)
        self._bn0 = _batch_norm(32)
        inputs = [32, *(spec.out_channels for spec in self.blocks)]
        self._blocks = nn.Sequential(
            *(InvertedResidual(channels, spec) for channels, spec in zip(inputs, self.blocks, strict=False))
        )

    @classmethod
    def like(cls, backbone: Backbone) -> Self:
        """Return a backbone of this class with the weights of another, for evaluation."""
        made = cls()
        made.load_state_dict(backbone.state_dict())
        return made.eval().requires_grad_(False)

    def normalise(self, x: Tensor) -> Tensor:
        """Scale 0..1 to about -1..1 as the published weights were trained: ``(255 x - 127) / 128``."""
        return x * (255 / 128) - 127 / 128  # exact: dividing by a power of two loses no digit

    def stem(self, x: Tensor) -> Tensor:
        """Map normalised images (B, 3, H, W) to the features of block 4, (B, 40, H / 8, W / 8)."""
        features: Tensor = self._blocks[:_TAIL](F.relu6(self._bn0(self._conv_stem(x))))
        return features

    def tail(self, x: Tensor) -> Tensor:
        """Map the stem's features to those of block 10, (B, 112, H / 16, W / 16)."""
        for block in self.tail_modules():
            x = block(x)
        return x

    def tail_modules(self) -> list[nn.Module]:
        """Return blocks 5 to 10."""
        return [*self._blocks][_TAIL : len(_BLOCKS)]


class SmoothLite0Backbone(Lite0Backbone):
    """The same weights with blurs in the last two strides, so that codes change less when a place shifts."""

    name = "lite0-smooth"
    blocks: ClassVar = tuple(spec._replace(smooth=number in (3, 5)) for number, spec in enumerate(_BLOCKS))


def load_published(backbone: Lite0Backbone, state: dict[str, Tensor]) -> None:
    """Load the published state dict's tensors; every tensor of the backbone must be there in its shape."""
    own = backbone.state_dict()
    missing = [name for name, tensor in own.items() if name not in state or state[name].shape != tensor.shape]
    if missing:
        raise ValueError(f"{len(missing)} of {len(own)} tensors do not match, the first is {missing[0]}")
    backbone.load_state_dict({name: state[name] for name in own})
