"""From a trained network to the form that serves."""

from __future__ import annotations

from hmar.model.network import HmarNetwork
from hmar.training.kan_layer import TrainableKAN


def served_network(trained: HmarNetwork) -> HmarNetwork:
    """Return a network with folded KAN layers, ready to be written; batch norms are not folded yet.

    Parameters
    ----------
    trained : HmarNetwork
        Its heads' KAN layers are :class:`TrainableKAN`.
    """
    served = HmarNetwork(trained.config)
    served.trunk.load_state_dict(trained.trunk.state_dict())
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
