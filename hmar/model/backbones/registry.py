"""The trunks by the names that stand in a model's configuration."""

from __future__ import annotations

from hmar.errors import ModelError
from hmar.model.backbones.base import Trunk
from hmar.model.backbones.densenet import DenseNet121Trunk
from hmar.model.backbones.efficientnet_lite0 import Lite0Trunk, SmoothLite0Trunk
from hmar.model.backbones.resnet import ResNet50Trunk

TRUNKS: dict[str, type[Trunk]] = {
    trunk.name: trunk for trunk in (Lite0Trunk, SmoothLite0Trunk, ResNet50Trunk, DenseNet121Trunk)
}


def build_trunk(name: str) -> Trunk:
    """Return a trunk with fresh weights.

    Raises
    ------
    ModelError
        If there is none of that name.
    """
    if name not in TRUNKS:
        raise ModelError(f"There is no trunk called {name!r}.", f"Use one of {', '.join(TRUNKS)}.")
    return TRUNKS[name]()
