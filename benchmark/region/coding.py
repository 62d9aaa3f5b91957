"""From features to descriptors: floats as they are, signs, or ITQ codes fitted on unlabelled features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch

from benchmark.types import Descriptors
from hmar.training.heads.itq import itq
from hmar.values.frames import FloatArray

Coding = Literal["float", "logits", "sign", "itq"]
Code = Callable[[FloatArray], Descriptors]


def fit_code(coding: Coding, sample: FloatArray, bits: int, seed: int) -> Code:
    """Return the function from features (N, D) to descriptors.

    Parameters
    ----------
    coding : str
        "float" keeps them, to be compared by cosine; "logits" keeps the first ``bits`` of them, whose signs
        are the code of that length; "sign" packs those signs; "itq" fits :func:`fit_itq` on the sample.
    sample : ndarray of float32, shape (M, D)
        Features of the query's volume, which may be trained on; only "itq" uses them.
    bits : int
    seed : int
        Seeds the rotation.
    """
    if coding == "float":
        return _as_floats
    if coding == "logits":
        return lambda features: _as_floats(features[:, :bits])
    if coding == "sign":
        return lambda features: np.packbits(features[:, :bits] > 0, axis=1)
    return fit_itq(sample, bits, seed)


def fit_itq(sample: FloatArray, bits: int, seed: int) -> Code:
    """Fit iterative quantisation (Gong & Lazebnik, CVPR 2011): centre, project on components, rotate, sign.

    Where features have fewer dimensions than the code has bits, the components are padded with zeros: the
    rotation then spreads them over all bits.

    Parameters
    ----------
    sample : ndarray of float32, shape (M, D)
    bits : int
    seed : int
        Seeds the first rotation.
    """
    mean = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = sample - mean
    covariance = torch.from_numpy(centred.T @ centred).double()
    components = torch.linalg.eigh(covariance)[1].flip(1)[:, :bits].float()  # (D, bits or D)
    padded = torch.zeros(components.shape[0], bits)
    padded[:, : components.shape[1]] = components
    projected = torch.from_numpy(centred) @ padded
    rotation = itq(projected, torch.Generator().manual_seed(seed))
    project: FloatArray = (padded @ rotation).numpy()

    def code(features: FloatArray) -> Descriptors:
        return np.packbits((features - mean) @ project > 0, axis=1)

    return code


def _as_floats(features: FloatArray) -> Descriptors:
    return np.ascontiguousarray(features, np.float32)
