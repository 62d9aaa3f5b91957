"""Variants that are trained on the query's volume: ours, or ours with one change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hmar.model.backbones.base import Backbone
from hmar.model.backbones.efficientnet_lite0 import SmoothLite0Backbone
from hmar.training.config import TrainingConfig
from hmar.training.trainable import BuildNetwork, trainable_network


def as_published(backbone: Backbone) -> Backbone:
    """Return the backbone itself."""
    return backbone


def with_smooth_strides(backbone: Backbone) -> Backbone:
    """Return a copy of a backbone with blurs before its last strides."""
    return SmoothLite0Backbone.like(backbone)


def as_given(config: TrainingConfig) -> TrainingConfig:
    """Return the settings themselves."""
    return config


@dataclass(frozen=True, slots=True)
class Variant:
    """A network that is trained on the query's volume.

    Parameters
    ----------
    name : str
        Stands in every row.
    what : str
        One line for people.
    settings : callable
        From the settings of ours to its own.
    labels : bool
        Whether it learns from labels.
    carried : bool
        Whether the query's labels are carried to people who have none, and learnt from there, too.
    backbone : callable
        From the published backbone to the variant's.
    build : BuildNetwork
        Makes its network.
    """

    name: str
    what: str
    settings: Callable[[TrainingConfig], TrainingConfig] = as_given
    labels: bool = True
    carried: bool = False
    backbone: Callable[[Backbone], Backbone] = as_published
    build: BuildNetwork = trainable_network


OURS = Variant("hmar", "window codes of ours, trained on the query's volume and its labels")
CARRIED = Variant(
    "hmar-carried", "ours, and the query's labels carried to people without any by registration", carried=True
)
