"""A backbone that is fine-tuned, and its head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.accuracy.lite0 import Lite0
from benchmark.accuracy.pixels import square
from benchmark.datasets.read import read_image
from benchmark.peers.hmar.views import View, Viewer
from benchmark.peers.tuned.heads import TunedHead

_AT_ONCE = 32


def read_images(paths: Sequence[Path]) -> Tensor:
    """Return images as the frozen backbone gets them, (B, 3, 224, 224), values from 0 to 1.

    If all channels are equal, one is returned, (B, 1, 224, 224).
    """
    images = torch.from_numpy(np.stack([square(read_image(path)) for path in paths]))
    grey = images[:, :1]
    return grey if bool((images == grey).all()) else images


class TunedNetwork(nn.Module):
    """Images to logits.

    Parameters
    ----------
    backbone : Lite0
        Batch norms folded. The blocks after its stem are trained; the stem stays as published.
    viewer : Viewer
        Scales the features as the frozen features of train were scaled.
    head : TunedHead
    """

    def __init__(self, backbone: Lite0, viewer: Viewer, head: TunedHead) -> None:
        super().__init__()
        self.backbone, self.head, self._viewer = backbone, head, viewer
        self.backbone.requires_grad_(False)
        for module in backbone.behind_stem():
            module.requires_grad_(True)

    def view(self, images: Tensor) -> View:
        """Return the views of images (B, 1 or 3, H, W), values from 0 to 1."""
        batch = images.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            stem = self.backbone.stem(self.backbone.normalise(batch))
        maps = self.backbone.tail(stem)
        return self._viewer.see(self.backbone.pool(maps), maps)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, bits) of images (B, 1 or 3, H, W)."""
        logits: Tensor = self.head(self.view(images))
        return logits

    @torch.no_grad()
    def describe(self, paths: Sequence[Path], step: Callable[[int, int], None]) -> Tensor:
        """Return the logits (N, bits) of image files; ``step`` is told (done, total)."""
        self.eval()
        logits = []
        for start in range(0, len(paths), _AT_ONCE):
            logits.append(self(read_images(paths[start : start + _AT_ONCE])))
            step(min(start + _AT_ONCE, len(paths)), len(paths))
        return torch.cat(logits)
