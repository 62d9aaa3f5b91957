"""The trunks by the names that stand in a model's configuration."""

from __future__ import annotations

from hmar.errors import ModelError
from hmar.model.backbone import Lite0Trunk, SmoothLite0Trunk
from hmar.model.densenet import DenseNet121Trunk
from hmar.model.resnet import ResNet50Trunk
from hmar.model.trunk import Trunk

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
