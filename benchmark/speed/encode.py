"""Encoding: every window from one pass of the backbone, against torch and against a pass per window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from benchmark.speed.phantom import SIDE, phantom_frame
from benchmark.speed.timing import Rounds, interleave, speed_row
from benchmark.types import Progress
from hmar.encoder import HmarEncoder
from hmar.image.grid import channels, make_grid
from hmar.image.windows import cover, pack_window_id, unpack_window_id
from hmar.model.config import PARTS
from hmar.model.serving.model import ServedModel, load_served
from hmar.model.weights import Bundle, load_bundle
from hmar.training.export.parity import torch_logits
from hmar.values.codes import CODE_BITS, CodeArray, WindowIds, hamming, pack_logits
from hmar.values.frames import Frame

NETWORK_SIDE = 224
"""Input of the published network, to which crops are usually resized."""

BATCH = 32


class ServedCrops:
    """Codes windows the plain way in the runtime that serves: cut each out, send it through the backbone.

    The frame is laid on its grid beforehand, which is not timed.

    Parameters
    ----------
    model : ServedModel
    frame : Frame
    ids : ndarray of uint32, shape (N,)
        The windows.
    """

    def __init__(self, model: ServedModel, frame: Frame, ids: WindowIds) -> None:
        self._model, self._ids = model, ids
        grid = make_grid(frame.info.rows, frame.info.columns, frame.info.spacing, model.info.grid)
        self._image = channels(frame, grid)

    def encode(self) -> CodeArray:
        """Return the codes, shape (N, 16), in the order of the ids."""
        return np.concatenate([self._code(window) for window in self._ids.tolist()])

    def _code(self, window: int) -> CodeArray:
        stride = self._model.info.grid.stride
        size, row, column = unpack_window_id(window)
        y, x, side = row * stride, column * stride, self._model.info.windows.cells[size] * stride
        backbone_map = self._model.map(np.ascontiguousarray(self._image[:, y : y + side, x : x + side]))
        only = np.array([pack_window_id(size, 0, 0)], np.uint32)  # the window that is the whole crop
        return pack_logits(self._model.window_logits(backbone_map, only))


class CropEncoder:
    """Codes windows the plain way in torch, crops of one size going through together.

    The frame is laid on its grid beforehand, which is not timed.

    Parameters
    ----------
    bundle : Bundle
    frame : Frame
    ids : ndarray of uint32, shape (N,)
        The windows.
    side : int or None
        Crops are resized to this side in pixels; None keeps the grid's pitch, the cheapest.
    """

    def __init__(self, bundle: Bundle, frame: Frame, ids: WindowIds, side: int | None) -> None:
        self._bundle = bundle
        self._ids = ids
        self._side = side
        grid = make_grid(frame.info.rows, frame.info.columns, frame.info.spacing, bundle.info.grid)
        self._image = torch.from_numpy(channels(frame, grid))

    @torch.inference_mode()
    def encode(self) -> CodeArray:
        """Return the codes, shape (N, 16), in the order of the ids."""
        codes = np.empty((len(self._ids), CODE_BITS // 8), np.uint8)
        for rows, crops in self._batches():
            backbone_map = self._bundle.network(crops.to(memory_format=torch.channels_last))
            projected = self._bundle.network.local_expert.map(backbone_map)  # (B, C, s, s)
            cells = projected.shape[-1]
            weights = torch.from_numpy(cover(np.zeros(1), cells, PARTS, cells))
            pooled = (weights @ projected @ weights.T).flatten(1)  # (B, C * 9)
            codes[rows] = pack_logits(self._bundle.network.local_expert(pooled).numpy())
        return codes

    def _batches(self) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
        stride = self._bundle.info.grid.stride
        places = np.array([unpack_window_id(int(window)) for window in self._ids])
        for size, cells in enumerate(self._bundle.info.windows.cells):
            rows = np.flatnonzero(places[:, 0] == size)
            for part in (rows[first : first + BATCH] for first in range(0, len(rows), BATCH)):
                corners = (places[part, 1:] * stride).tolist()
                side = cells * stride
                crops = torch.stack([self._image[:, y : y + side, x : x + side] for y, x in corners])
                yield part, self._resized(crops)

    def _resized(self, crops: Tensor) -> Tensor:
        if self._side is None:
            return crops
        return F.interpolate(crops, (self._side, self._side), mode="bilinear", align_corners=False)


def measure_encode(
    folder: Path, rounds: Rounds, sample: int, progress: Progress, side: int = SIDE
) -> list[dict[str, object]]:
    """Time a frame with all its windows, against torch and against crops of a sample of them, scaled to all.

    The sample is every n-th window, so that sizes stand in it as they do in the frame. The quality beside
    the speed is the share of bits in which both ways agree: crops do not see what lies around them, and so
    give other codes, not better ones.

    Parameters
    ----------
    folder : Path
        The model's.
    rounds : Rounds
    sample : int
        Windows that are encoded again; their time is multiplied by (all / sample).
    progress : Progress
    side : int
        Rows and columns of the frame.
    """
    bundle, model = load_bundle(folder), load_served(folder)
    encoder = HmarEncoder(model)
    frame = phantom_frame(0, side)
    encoded = encoder.encode(frame)
    chosen = _systematic(len(encoded.window_ids), sample)
    ids = encoded.window_ids[chosen]
    scale = len(encoded.window_ids) / len(ids)
    crops: dict[str, Callable[[], CodeArray]] = {
        "re-encoding every window as a crop at the same pitch, in the same runtime": ServedCrops(
            model, frame, ids
        ).encode,
        "re-encoding every window as a crop at the same pitch, in torch": CropEncoder(
            bundle, frame, ids, None
        ).encode,
        f"re-encoding every window as a crop resized to {NETWORK_SIDE}x{NETWORK_SIDE}, in torch": CropEncoder(
            bundle, frame, ids, NETWORK_SIDE
        ).encode,
    }
    own, whole = f"HmarEncoder.encode ({model.info.name})", "the same network in torch"
    calls: dict[str, Callable[[int], object]] = {
        own: lambda _: encoder.encode(frame),
        whole: lambda _: torch_logits(bundle, frame),
    }
    calls |= {name: _ignoring_round(peer) for name, peer in crops.items()}
    times = interleave(calls, rounds, "encode", progress)
    setting = f"one {side}x{side} frame, {len(encoded.window_ids)} windows"
    rows = [
        speed_row(
            "encode",
            own,
            name,
            times[own],
            times[name] * scale,
            rounds,
            setting=f"{setting}; crops measured on {len(ids)} of them and multiplied by {scale:.2f}",
            threads=torch.get_num_threads(),
            windows=len(encoded.window_ids),
            windows_measured=len(ids),
            quality={"bits agreeing with the crops' codes": _agreement(encoded.window_codes[chosen], peer())},
        )
        for name, peer in crops.items()
    ]
    in_torch = pack_logits(torch_logits(bundle, frame).windows)
    rows.append(
        speed_row(
            "encode",
            own,
            whole,
            times[own],
            times[whole],
            rounds,
            setting=setting,
            threads=torch.get_num_threads(),
            windows=len(encoded.window_ids),
            windows_measured=len(encoded.window_ids),
            quality={"bits agreeing with torch's codes": _agreement(encoded.window_codes, in_torch)},
        )
    )
    return rows


def _ignoring_round(call: Callable[[], object]) -> Callable[[int], object]:
    return lambda _: call()


def _systematic(total: int, wanted: int) -> NDArray[np.int64]:
    """Return evenly spaced positions below ``total``."""
    count = min(wanted, total)
    positions: NDArray[np.int64] = (np.arange(count) * total) // count
    return positions


def _agreement(codes: CodeArray, others: CodeArray) -> float:
    return round(1 - float(hamming(codes, others).mean()) / CODE_BITS, 6)
