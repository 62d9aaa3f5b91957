"""From a trained network to the form that serves."""

from __future__ import annotations

import copy

from hmar.model.network import HmarNetwork
from hmar.training.heads.code_layer import code_layer


def served_network(trained: HmarNetwork) -> HmarNetwork:
    """Return a copy with folded KAN layers, ready to be written; batch norms are not folded yet.

    Parameters
    ----------
    trained : HmarNetwork
        Its heads' last layers are of :class:`hmar.training.heads.code_layer.CodeLayer`.
    """
    served = copy.deepcopy(trained)
    for expert in (served.global_expert, served.local_expert):
        expert.head.kan = code_layer(expert.head).fold()
    return served.eval().requires_grad_(False)
