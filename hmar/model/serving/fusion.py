"""How much each expert's distance counts where both are fused (docs/experiments/fusing-experts.md)."""

from __future__ import annotations

LOCAL_SCALE = 1.6
"""How much more a window counts than the whole frame, before the gate.

The shipped router gives the global expert 1.6 times the weight of the local one on average: with this
factor a window then counts as much as the frame. From 1 to 2 all are about equal.
"""


def fusion_weights(gate: tuple[float, float], windows: int) -> tuple[float, float]:
    """Return the weights (global, local) of both distances in mode "auto", which sum to 1.

    The local distance is a mean over the query's windows, and the more there are, the less it spreads between
    frames. Windows are as much evidence as their number: each counts, not their mean.

    Parameters
    ----------
    gate : tuple of float
        The router's weights (global, local), which sum to 1.
    windows : int
        Windows of the query, from 0.
    """
    whole, local = gate[0], LOCAL_SCALE * windows * gate[1]
    return whole / (whole + local), local / (whole + local)
