"""Comparing the codes of a network in torch with those of its serving form."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hmar.errors import ModelError
from hmar.image.grid import channels, content, make_grid
from hmar.image.windows import WindowConfig, cover, kept_windows, lattice
from hmar.model.config import PARTS
from hmar.model.experts import pool
from hmar.model.network import HmarNetwork
from hmar.model.serving.model import ServedModel
from hmar.model.tags import modality_index, region_index
from hmar.model.weights import Bundle
from hmar.values.codes import CODE_BITS, WindowIds
from hmar.values.frames import FloatArray, Frame
from hmar.values.window_ids import pack_window_id

UNDECIDED = 1e-4
"""A logit this near to 0 may give either bit: sums in single precision differ by as much with their order."""

ROUNDING_MARGIN = 4.0
"""A logit may give either bit up to this many times the network's own largest error in single precision."""


@dataclass(frozen=True, slots=True, eq=False)
class Logits:
    """The logits that codes are made from.

    ``frame`` (bits,) is of the whole frame, ``windows`` (W, bits) of those it keeps; ``gate`` are the
    router's weights (global, local). Thresholds are subtracted: a bit is 1 where its logit is above 0.
    """

    frame: FloatArray
    windows: FloatArray
    gate: tuple[float, float]

    def all(self) -> FloatArray:
        """Return all logits in one array (1 + W, bits), the frame's first."""
        return np.concatenate([self.frame[None], self.windows])


@dataclass(frozen=True, slots=True)
class Parity:
    """How far two sets of logits differ.

    Of ``bits`` bits, ``flipped`` differ; the logits of ``decided`` of these are too far from 0 for
    rounding to turn them. ``departure`` is the largest difference of two logits.
    """

    bits: int
    flipped: int
    decided: int
    departure: float


@dataclass(frozen=True, slots=True)
class Rounding:
    """How near to 0 a logit of the frame's code, and one of a window's, may give either bit."""

    frame: float = UNDECIDED
    windows: float = UNDECIDED


@torch.inference_mode()
def torch_logits(bundle: Bundle, frame: Frame, precision: torch.dtype = torch.float32) -> Logits:
    """Return the logits of a frame by the network itself, in single or double precision."""
    network, windows = bundle.network, bundle.info.windows
    if precision != torch.float32:
        network = copy.deepcopy(network).to(precision)
    image, ids = _laid(bundle, frame)
    pixels = torch.from_numpy(image)[None].to(precision, memory_format=torch.channels_last)
    backbone_map: Tensor = network(pixels)
    tags = [modality_index(frame.info.modality), region_index(frame.info.body_part)]
    modality, region = (torch.tensor([-1 if tag is None else tag]) for tag in tags)
    whole, local = network.router(backbone_map, modality, region).gate[0].tolist()
    thresholds = bundle.thresholds.of(frame.info.modality)
    return Logits(
        network.global_expert(backbone_map)[0].numpy() - thresholds.frame,
        _window_logits(network, backbone_map, ids, windows).numpy() - thresholds.windows,
        (whole, local),
    )


def served_logits(model: ServedModel, bundle: Bundle, frame: Frame) -> Logits:
    """Return the logits of a frame by the serving form."""
    image, ids = _laid(bundle, frame)
    backbone_map = model.map(image)
    thresholds = model.thresholds.of(frame.info.modality)
    return Logits(
        model.global_logits(backbone_map) - thresholds.frame,
        model.window_logits(backbone_map, ids) - thresholds.windows,
        model.gate(backbone_map, frame.info),
    )


def rounding(single: Logits, double: Logits) -> Rounding:
    """Return how far single precision may move a network's logits, measured against double precision.

    A head that was fitted to images which hardly differ multiplies what rounding changes in their
    features, so that no fixed bound holds for every model.
    """
    errors = [
        float(np.abs(one - other).max(initial=0.0))
        for one, other in ((single.frame, double.frame), (single.windows, double.windows))
    ]
    bounds = (max(UNDECIDED, ROUNDING_MARGIN * error) for error in errors)
    return Rounding(*(bound if np.isfinite(bound) else UNDECIDED for bound in bounds))


def compare(expected: Logits, found: Logits, near: Rounding = Rounding()) -> Parity:
    """Compare logits of the same frame, bit by bit.

    A bit may be either where ``near`` covers the expected logit, and how far the one that was found is from
    it. A logit that is not finite decides its bit.
    """
    one, other = expected.all(), found.all()
    flipped = (one > 0) != (other > 0)
    bounds = np.full((len(one), 1), near.windows)
    bounds[0] = near.frame
    apart = np.abs(one - other)
    covered = (np.abs(one) < bounds) & (apart < bounds)  # False of what is not finite
    decided = (flipped | ~np.isfinite(apart)) & ~covered
    departure = float(apart.max())
    return Parity(one.size, int(flipped.sum()), int(decided.sum()), departure)


def check_parity(model: ServedModel, bundle: Bundle, frame: Frame) -> Parity:
    """Compare a model's serving form with its network on a frame.

    Raises
    ------
    ModelError
        If a bit differs whose logit is too far from 0 for rounding to turn it.
    """
    expected, found = torch_logits(bundle, frame), served_logits(model, bundle, frame)
    parity = compare(expected, found)
    if parity.decided:
        parity = compare(expected, found, rounding(expected, torch_logits(bundle, frame, torch.float64)))
    if parity.decided:
        raise ModelError(
            f"The serving form of {bundle.info.name} differs from its network in {parity.decided} of "
            f"{parity.bits} bits.",
            "Export it again with the versions in constraints.txt.",
        )
    return parity


def _laid(bundle: Bundle, frame: Frame) -> tuple[FloatArray, WindowIds]:
    """Return the network's input (3, H, W) for a frame, and the windows that have content."""
    config = bundle.info.grid
    grid = make_grid(frame.info.rows, frame.info.columns, frame.info.spacing, config)
    ids = kept_windows(content(frame, grid), config.stride, bundle.info.windows)
    return channels(frame, grid), ids


def _window_logits(
    network: HmarNetwork, backbone_map: Tensor, ids: WindowIds, config: WindowConfig
) -> Tensor:
    """Return the logits (W, bits) of windows of the lattices, in the order of their ids."""
    pooled_from = network.local_expert.map(backbone_map)[0]  # (C, h, w)
    features, lattice_ids = (
        [pooled_from.new_empty(0, pooled_from.shape[0] * PARTS * PARTS)],
        [np.empty(0, np.uint32)],
    )
    for size, (side, stride) in enumerate(zip(config.cells, config.strides, strict=True)):
        rows, columns = (lattice(cells, side, stride) for cells in pooled_from.shape[1:])
        weights = [
            torch.from_numpy(cover(starts, side, PARTS, cells)).to(pooled_from.dtype)
            for starts, cells in zip((rows, columns), pooled_from.shape[1:], strict=True)
        ]
        features.append(pool(pooled_from, *weights).flatten(0, 1))
        row, column = np.meshgrid(rows, columns, indexing="ij")
        lattice_ids.append(pack_window_id(size, row.ravel(), column.ravel()))
    chosen = np.searchsorted(np.concatenate(lattice_ids), ids)  # ids ascend in size, row, column
    logits: Tensor = network.local_expert(torch.cat(features)[torch.from_numpy(chosen)])
    return logits.reshape(-1, CODE_BITS)
