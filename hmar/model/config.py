"""The sizes of a network, for the form that trains and the form that serves."""

from __future__ import annotations

from dataclasses import dataclass

PARTS = 3
"""A window is pooled on a grid of 3x3 parts, which keeps their arrangement; one average would lose it."""

KAN_INPUT_SCALE = 0.5
"""Scale of a KAN layer's input after layer norm: a grid from -2 to 2 then spans four deviations each way."""

LAYER_NORM_EPS = 1e-5


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Sizes of the network; part of a model's configuration.

    Parameters
    ----------
    width : int
        Channels that windows are pooled from.
    hidden : int
        Width of the heads' bottleneck, the KAN layers' input.
    intervals, order : int
        Grid intervals and order of the KAN layers' splines.
    backbone : str
        Name of the backbone, see :data:`hmar.model.backbones.registry.BACKBONES`. Files of models from before
        there was a choice lack it.
    frame_width : int
        Channels that the whole frame is pooled from; 0 for as many as windows.
    """

    width: int = 64
    hidden: int = 256
    intervals: int = 5
    order: int = 3
    backbone: str = "lite0"
    frame_width: int = 0
