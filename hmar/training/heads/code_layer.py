"""The last layer of a head in training: it can start as a linear map, and folds into the form that serves."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from hmar.model.hash_head import HashHead


class CodeLayer(nn.Module, ABC):
    """A layer from the bottleneck (N, inputs) to logits (N, outputs)."""

    outputs: int

    @abstractmethod
    def set_linear(self, weight: Tensor) -> None:
        """Make the layer compute ``x @ weight``, weight (inputs, outputs)."""

    @abstractmethod
    def rescale(self, shift: Tensor, scale: Tensor) -> None:
        """Make the layer compute ``(y - shift) * scale`` in place of y; shift and scale (outputs,)."""

    @abstractmethod
    def fold(self) -> nn.Module:
        """Return the form that serves."""


def code_layer(head: HashHead) -> CodeLayer:
    """Return a head's last layer; raises TypeError for one that cannot be trained."""
    if not isinstance(head.kan, CodeLayer):
        raise TypeError(f"a head with a {type(head.kan).__name__} cannot be trained")
    return head.kan
