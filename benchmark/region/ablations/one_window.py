"""Ablation of the display windows: the same one in all three channels."""

from __future__ import annotations

from torch import Tensor

from hmar.image.grid import HU_DISPLAY_WINDOWS
from hmar.model.backbones.base import Backbone
from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone

WIDEST = max(range(len(HU_DISPLAY_WINDOWS)), key=lambda channel: HU_DISPLAY_WINDOWS[channel][1])
"""The channel of bone, 400/1800: from -500 to 1300 HU nothing is clipped, so only lungs are black."""


class OneWindowBackbone(Lite0Backbone):
    """The backbone with the widest display window in all three channels; it ignores the other two."""

    def normalise(self, x: Tensor) -> Tensor:
        """Scale the widest display window as the published weights were trained."""
        return super().normalise(x[:, WIDEST, None].expand_as(x))


def with_one_window(backbone: Backbone) -> Backbone:
    """Return a copy of a backbone that sees one display window."""
    return OneWindowBackbone.like(backbone)
