"""From a trained network to the form that serves."""

from __future__ import annotations

from hmar.model.network import HmarNetwork
from hmar.model.trunk import Trunk
from hmar.training.kan_layer import TrainableKAN


def served_network(trained: HmarNetwork, trunk: Trunk) -> HmarNetwork:
    """Return a network with folded KAN layers and the given trunk, ready to be written.

    Parameters
    ----------
    trained : HmarNetwork
        Its heads' KAN layers are :class:`TrainableKAN`.
    trunk : Trunk
        The trunk whose maps it was trained on, batch norms not yet folded.
    """
    served = HmarNetwork(trained.config)
    served.trunk.load_state_dict(trunk.state_dict())
    served.router.load_state_dict(trained.router.state_dict())
    for name in ("global_expert", "local_expert"):
        source, target = getattr(trained, name), getattr(served, name)
        target.project.load_state_dict(source.project.state_dict())
        target.head.reduce.load_state_dict(source.head.reduce.state_dict())
        kan = source.head.kan
        if not isinstance(kan, TrainableKAN):
            raise TypeError(f"{name} has a {type(kan).__name__}, not a TrainableKAN")
        target.head.kan = kan.fold()
    return served.eval().requires_grad_(False)
