"""Encoding: all windows in one pass of the backbone, against torch, a pass per window, and the fast form."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmark.speed.crops import NETWORK_SIDE, CropEncoder, ServedCrops
from benchmark.speed.phantom import SIDE, phantom_frame
from benchmark.speed.timing import Milliseconds, Rounds, interleave, speed_row
from benchmark.types import Progress
from hmar.encoder import HmarEncoder
from hmar.model.bundle import BACKBONE
from hmar.model.fast import has_fast_form, write_fast_weights
from hmar.model.serving.model import ServedModel, load_served, read_served
from hmar.model.weights import Bundle, load_bundle
from hmar.training.export.parity import torch_logits
from hmar.values.codes import CODE_BITS, CodeArray, EncodedFrame, WindowIds, hamming, pack_logits
from hmar.values.frames import Frame

IN_TORCH = "the same network in torch"


def measure_encode(
    folder: Path, rounds: Rounds, sample: int, progress: Progress, side: int = SIDE
) -> list[dict[str, object]]:
    """Time a frame with all its windows, against torch and against crops of a sample of them, scaled to all.

    The sample is every n-th window, so that sizes are represented as in the frame. The quality beside the
    speed is the share of bits in which both agree: crops have no context, and so give other codes, not better
    ones. A model that has a fast form is timed against that too; beside it stands the number of windows of
    both, for codes of two grids cannot be compared.

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
    encoder, frame = HmarEncoder(model), phantom_frame(0, side)
    encoded = encoder.encode(frame)
    chosen = _systematic(len(encoded.window_ids), sample)
    crops = _crops(bundle, model, frame, encoded.window_ids[chosen])
    own = _named(encoder)
    calls: dict[str, Callable[[int], object]] = {
        own: lambda _: encoder.encode(frame),
        IN_TORCH: lambda _: torch_logits(bundle, frame),
    }
    calls |= {name: _ignoring_round(encode) for name, encode in crops.items()}
    fast = _fast_form(folder) if has_fast_form(model.info) else None
    if fast is not None:
        calls[_named(fast)] = _ignoring_round(partial(fast.encode, frame))
    comparison = _Comparison(own, interleave(calls, rounds, "encode", progress), rounds, side, encoded)
    rows = [comparison.with_crops(name, encode(), chosen) for name, encode in crops.items()]
    rows.append(comparison.with_torch(pack_logits(torch_logits(bundle, frame).windows)))
    return rows if fast is None else [*rows, comparison.of_fast(_named(fast), fast.encode(frame))]


def _named(encoder: HmarEncoder) -> str:
    return f"HmarEncoder.encode ({encoder.name})"


def _fast_form(folder: Path) -> HmarEncoder:
    """Return the encoder of a model's fast form, which has the backbone's graph of the model."""
    with tempfile.TemporaryDirectory(prefix="hmar-speed-") as root:
        out = Path(root, f"{folder.resolve().name}-fast")
        write_fast_weights(folder, out)
        shutil.copyfile(folder / BACKBONE, out / BACKBONE)
        return HmarEncoder(read_served(out))


def _crops(
    bundle: Bundle, model: ServedModel, frame: Frame, ids: WindowIds
) -> dict[str, Callable[[], CodeArray]]:
    """Return the ways to code windows as crops, by the name of the peer."""
    at_pitch = "re-encoding every window as a crop at the same pitch"
    resized = f"re-encoding every window as a crop resized to {NETWORK_SIDE}x{NETWORK_SIDE}"
    return {
        f"{at_pitch}, in the same runtime": ServedCrops(model, frame, ids).encode,
        f"{at_pitch}, in torch": CropEncoder(bundle, frame, ids, None).encode,
        f"{resized}, in torch": CropEncoder(bundle, frame, ids, NETWORK_SIDE).encode,
    }


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The times of a run, and the rows they make.

    ``own`` names ours among ``times``, in milliseconds by round; ``encoded`` is what it made of the frame.
    """

    own: str
    times: Mapping[str, Milliseconds]
    rounds: Rounds
    side: int
    encoded: EncodedFrame

    def with_crops(self, name: str, codes: CodeArray, chosen: NDArray[np.int64]) -> dict[str, object]:
        """Return the row of a peer that coded some of the windows, its time scaled to all of them."""
        scale = len(self.encoded.window_ids) / len(chosen)
        note = f"; crops measured on {len(chosen)} of them and multiplied by {scale:.2f}"
        agreement = _agreement(self.encoded.window_codes[chosen], codes)
        quality = {"bits agreeing with the crops' codes": agreement}
        return self._row(name, self.times[name] * scale, note, len(chosen), quality)

    def with_torch(self, codes: CodeArray) -> dict[str, object]:
        """Return the row of the same network in torch, which coded every window."""
        quality = {"bits agreeing with torch's codes": _agreement(self.encoded.window_codes, codes)}
        return self._row(IN_TORCH, self.times[IN_TORCH], "", len(codes), quality)

    def of_fast(self, name: str, encoded: EncodedFrame) -> dict[str, object]:
        """Return the row of the fast form, with the model as its peer: above 1 the fast form is faster."""
        windows, of_peer = len(encoded.window_ids), len(self.encoded.window_ids)
        return speed_row(
            "encode",
            name,
            self.own,
            self.times[name],
            self.times[self.own],
            self.rounds,
            setting=f"one {self.side}x{self.side} frame, {windows} windows, the peer {of_peer}",
            threads=torch.get_num_threads(),
            windows=windows,
            windows_measured=windows,
            quality={"windows of the peer": of_peer},
        )

    def _row(
        self,
        name: str,
        times: Milliseconds,
        note: str,
        measured: int,
        quality: Mapping[str, object],
    ) -> dict[str, object]:
        windows = len(self.encoded.window_ids)
        return speed_row(
            "encode",
            self.own,
            name,
            self.times[self.own],
            times,
            self.rounds,
            setting=f"one {self.side}x{self.side} frame, {windows} windows{note}",
            threads=torch.get_num_threads(),
            windows=windows,
            windows_measured=measured,
            quality=quality,
        )


def _ignoring_round(call: Callable[[], object]) -> Callable[[int], object]:
    return lambda _: call()


def _systematic(total: int, wanted: int) -> NDArray[np.int64]:
    """Return evenly spaced positions below ``total``."""
    count = min(wanted, total)
    positions: NDArray[np.int64] = (np.arange(count) * total) // count
    return positions


def _agreement(codes: CodeArray, others: CodeArray) -> float:
    return round(1 - float(hamming(codes, others).mean()) / CODE_BITS, 6)
