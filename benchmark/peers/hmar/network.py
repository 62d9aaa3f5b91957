"""Our model at image level, on cached features: two experts, a router, and one code an image."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.peers.hmar.views import View
from hmar.model.hash_head import HashHead, KanFactory
from hmar.training.heads.kan_layer import TrainableKAN
from hmar.training.losses.window_attention import WindowAttention

_EXPERTS = 2


@dataclass(frozen=True, slots=True)
class HmarSizes:
    """Sizes of the network.

    Parameters
    ----------
    hidden : int
        Width of the heads' bottleneck.
    intervals, order : int
        Grid intervals and order of the KAN layers' splines.
    scorer : int
        Width of the attention over windows, and of the router.
    drop : float
        Share of the features dropped in training.
    """

    hidden: int = 256
    intervals: int = 5
    order: int = 3
    scorer: int = 64
    drop: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The outputs of the network for a batch.

    Parameters
    ----------
    whole, local : Tensor, shape (B, bits)
        Logits of Expert0 and Expert1, of mean square 1 an image.
    fused : Tensor, shape (B, bits)
        Both, weighted by the gate.
    gate : Tensor, shape (B, 2)
        Weights of (Expert0, Expert1); rows sum to 1.
    attention : Tensor, shape (B, W)
        Attention weights of the windows; rows sum to 1.
    """

    whole: Tensor
    local: Tensor
    fused: Tensor
    gate: Tensor
    attention: Tensor


class HmarImageNetwork(nn.Module):
    """Maps features of an image to the logits of its code.

    Expert0 sees the pooled features and the map pooled on 3x3 parts of the whole image; Expert1 sees windows
    of several sizes, each pooled on 3x3 parts, with one head for all of them. Its head is linear up to the
    layer norm, so that the windows are averaged before it.

    Parameters
    ----------
    inputs, frame, window : int
        Widths of the pooled features, of the map pooled on 3x3 parts, and of a window.
    bits : int
    kan, router : bool
        Without them: a matrix in place of each KAN layer, an equal gate.
    sizes : HmarSizes
    """

    def __init__(
        self, inputs: int, frame: int, window: int, bits: int, *, kan: bool, router: bool, sizes: HmarSizes
    ) -> None:
        super().__init__()
        self._sizes, self.bits = sizes, bits
        self.whole = _head(inputs + frame, bits, sizes, kan=kan)
        self.local = _head(window, bits, sizes, kan=kan)
        self.attention = WindowAttention(window, sizes.scorer)
        self.router: nn.Module | None = _router(inputs, sizes.scorer) if router else None

    def forward(self, view: View) -> Seen:
        """Describe a batch."""
        drop = self._sizes.drop
        windows = view.windows.flatten(2)
        attention = self.attention(windows)
        attended = torch.einsum("bw,bwf->bf", attention, windows)
        frame = torch.cat([view.pooled, view.frame.flatten(1)], dim=1)
        whole = _level(self.whole(F.dropout(frame, drop, self.training)))
        local = _level(self.local(F.dropout(attended, drop, self.training)))
        gate = self._gate(view.pooled)
        fused = gate[:, :1] * whole + gate[:, 1:] * local
        return Seen(whole, local, fused, gate, attention)

    def _gate(self, pooled: Tensor) -> Tensor:
        if self.router is None:
            return torch.full((len(pooled), _EXPERTS), 1 / _EXPERTS)
        gate: Tensor = self.router(pooled).softmax(dim=1)
        return gate


def _level(logits: Tensor) -> Tensor:
    """Scale each image's logits to mean square 1, so that the gate weighs codes and not their sizes."""
    return F.normalize(logits, dim=1) * math.sqrt(logits.shape[1])


def _head(inputs: int, bits: int, sizes: HmarSizes, *, kan: bool) -> HashHead:
    layer: KanFactory = TrainableKAN if kan else _matrix
    return HashHead(inputs, sizes.hidden, bits, sizes.intervals, sizes.order, layer)


def _matrix(inputs: int, outputs: int, _intervals: int, _order: int) -> nn.Module:
    return nn.Linear(inputs, outputs)


def _router(inputs: int, hidden: int) -> nn.Module:
    return nn.Sequential(
        nn.LayerNorm(inputs), nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, _EXPERTS)
    )


BuildNetwork = Callable[[int, int, int, int], HmarImageNetwork]
"""(widths of pooled features, frame and window, bits) -> network."""
