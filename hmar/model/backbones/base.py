"""The interface of a backbone: images to features at stride 16, with the scaling its weights expect."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import ClassVar, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

STRIDE = 16


class Backbone(nn.Module, ABC):
    """A backbone cut at stride 16.

    ``name`` stands in a model's configuration. ``channels`` is the width of the feature map. Published
    weights expect pixels scaled as in their own training, see :meth:`normalise`.
    """

    name: ClassVar[str]
    channels: ClassVar[int]

    def forward(self, x: Tensor) -> Tensor:
        """Map images to features.

        Parameters
        ----------
        x : Tensor, shape (B, 3, H, W)
            Values from 0 to 1; H and W divisible by 16.

        Returns
        -------
        Tensor, shape (B, channels, H / 16, W / 16)
        """
        return self.tail(self.stem(self.normalise(x)))

    @abstractmethod
    def normalise(self, x: Tensor) -> Tensor:
        """Scale values from 0 to 1 as the published weights expect them."""

    @abstractmethod
    def stem(self, x: Tensor) -> Tensor:
        """Map normalised images (B, 3, H, W) to the input of :meth:`tail`; this part is never trained."""

    def tail(self, x: Tensor) -> Tensor:
        """Map the stem's output to features (B, channels, H / 16, W / 16); this part can be trained.

        A backbone without a trainable part does everything in its stem.
        """
        return x

    def tail_modules(self) -> list[nn.Module]:
        """Return the modules that :meth:`tail` runs."""
        return []


AnyBackbone = TypeVar("AnyBackbone", bound=Backbone)


def fold_batch_norm(backbone: AnyBackbone) -> AnyBackbone:
    """Return a copy for serving with batch norms folded into the convolutions before them.

    A module lists its pairs of convolution and batch norm in ``FOLDS``. A batch norm that does not directly
    follow a convolution, as half of a DenseNet's, stays.
    """
    folded = copy.deepcopy(backbone).eval()
    for module in list(folded.modules()):
        parts = dict(module.named_modules())
        for conv, norm in getattr(module, "FOLDS", ()):
            if conv in parts:
                _fold(parts[conv], parts[norm])
                module.set_submodule(norm, nn.Identity())
    folded.requires_grad_(False)
    for parameter in folded.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return folded


def _fold(convolution: nn.Module, norm: nn.Module) -> None:
    if not isinstance(convolution, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
        raise TypeError(f"{type(convolution).__name__} and {type(norm).__name__} cannot be folded")
    if norm.running_mean is None or norm.running_var is None:
        raise TypeError("a batch norm that keeps no statistics cannot be folded")
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )
