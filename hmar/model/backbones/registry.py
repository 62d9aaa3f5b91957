"""The backbones by their names in a model's configuration."""

from __future__ import annotations

from hmar.errors import ModelError
from hmar.model.backbones.base import Backbone
from hmar.model.backbones.densenet import DenseNet121Backbone
from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone, SmoothLite0Backbone
from hmar.model.backbones.resnet import ResNet50Backbone

BACKBONES: dict[str, type[Backbone]] = {
    backbone.name: backbone
    for backbone in (Lite0Backbone, SmoothLite0Backbone, ResNet50Backbone, DenseNet121Backbone)
}


def build_backbone(name: str) -> Backbone:
    """Return a backbone with fresh weights.

    Raises
    ------
    ModelError
        If there is none of that name.
    """
    if name not in BACKBONES:
        raise ModelError(f"There is no backbone called {name!r}.", f"Use one of {', '.join(BACKBONES)}.")
    return BACKBONES[name]()
