"""The heads and the router in numpy, from the tensors of a model's folder.

ONNX Runtime, which runs the backbone, is not used because its sums differ in the last digits, and now and
then a bit with them (docs/adr/0018-heads-stay-in-numpy.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from hmar.model.config import KAN_INPUT_SCALE, LAYER_NORM_EPS, PARTS
from hmar.model.serving.kan import ServedKAN, silu
from hmar.values.frames import FloatArray

Tensors = Mapping[str, FloatArray]
Head = Callable[[FloatArray], FloatArray]
"""Maps pooled parts (N, 9 * width), channels within parts, to logits (N, bits)."""


class ServedExpert:
    """An expert without its pooling: its projection of the map, and its head on pooled parts.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        The expert's state dict, as :class:`hmar.model.experts.LocalExpert` names it.
    head : Head or None
        Computes the logits elsewhere; None computes them here.
    """

    def __init__(self, tensors: Tensors, head: Head | None = None) -> None:
        self._head = head
        project = tensors["project.weight"]  # (width, C, 1, 1)
        self._project = np.ascontiguousarray(project[:, :, 0, 0].T)  # (C, width)
        self._project_bias = tensors["project.bias"]
        reduce = tensors["head.reduce.weight"]  # (hidden, width * 9), channels before parts
        by_part = reduce.reshape(len(reduce), -1, PARTS * PARTS).transpose(2, 1, 0)
        self._reduce = np.ascontiguousarray(by_part.reshape(-1, len(reduce)))  # (9 * width, hidden)
        self._reduce_bias = tensors["head.reduce.bias"]
        self._kan = ServedKAN(*(tensors[f"head.kan.{name}"] for name in ("knots", "base", "spline")))

    def project(self, features: FloatArray) -> FloatArray:
        """Map features (..., C) to those that are pooled (..., width)."""
        projected: FloatArray = features @ self._project + self._project_bias
        return projected

    def logits(self, pooled: FloatArray) -> FloatArray:
        """Map pooled parts (N, 9 * width) to logits (N, bits)."""
        if self._head is not None:
            return self._head(pooled)
        hidden = pooled @ self._reduce + self._reduce_bias
        return self._kan(layer_norm(hidden) * np.float32(KAN_INPUT_SCALE))


class ServedRouter:
    """Weights the experts, as :class:`hmar.model.router.Router` does.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        The router's state dict.
    """

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors

    def gate(self, mean: FloatArray, modality: int | None, region: int | None) -> tuple[float, float]:
        """Return the weights (global, local), which sum to 1.

        Parameters
        ----------
        mean : ndarray, shape (C,)
            Mean of the backbone's map.
        modality, region : int or None
            Indices from the tags; None where unknown, and then classified from the image.
        """
        scale, shift = self._tensors["trunk.0.weight"], self._tensors["trunk.0.bias"]
        hidden = self._linear("trunk.1", layer_norm(mean) * scale + shift)
        feature = silu(hidden)
        known = np.concatenate([feature, _known(modality, self._linear("modality", feature))])
        known = np.concatenate([known, _known(region, self._linear("region", known))])
        whole, local = softmax(self._linear("gate", known)).tolist()
        return whole, local

    def _linear(self, name: str, x: FloatArray) -> FloatArray:
        y: FloatArray = self._tensors[f"{name}.weight"] @ x + self._tensors[f"{name}.bias"]
        return y


def layer_norm(x: FloatArray) -> FloatArray:
    """Subtract the mean and divide by the standard deviation, over the last axis."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = np.mean(centred * centred, axis=-1, keepdims=True)
    normed: FloatArray = centred / np.sqrt(variance + np.float32(LAYER_NORM_EPS))
    return normed


def softmax(logits: FloatArray) -> FloatArray:
    """Return weights that sum to 1."""
    exponentials = np.exp(logits - logits.max())
    weights: FloatArray = exponentials / exponentials.sum()
    return weights


def _known(index: int | None, logits: FloatArray) -> FloatArray:
    """Return a tag as one-hot, or class probabilities where it is unknown."""
    if index is None:
        return softmax(logits)
    one_hot: FloatArray = np.eye(len(logits), dtype=np.float32)[index]
    return one_hot
