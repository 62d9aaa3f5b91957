"""Frames a second of encoders in processes of their own, as workers are, on a GPU and on the processor.

A frame goes from decoded pixels to its global code and those of all its windows. Decoding and the database
are left out: they stay on the processor whatever encodes.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np

from benchmark.types import Progress
from hmar.encoder import HmarEncoder
from hmar.model.serving.model import load_served, moved
from hmar.training.export.golden import golden_frame
from hmar.values.frames import Frame
from hmar.values.geometry import Spacing

FRAMES = 16
"""Different frames, which processes encode in turn."""
START_S = 120.0
"""How long processes wait for one another: one that cannot load the model ends the run."""
_STARTED: list[Barrier] = []


def body_frame(number: int) -> Frame:
    """Return a slice of 512x512 at 0.7 mm: the golden phantom, enlarged, with noise of its own."""
    golden = golden_frame()
    values = np.kron(golden.values, np.ones((2, 2), np.float32))
    noise = np.random.default_rng(number).normal(0, 15, values.shape).astype(np.float32)
    rows, columns = values.shape
    info = replace(golden.info, rows=rows, columns=columns, spacing=Spacing(0.7, 0.7))
    return Frame(info, np.where(values > -1000, values + noise, values), golden.units)


def load_encoder(folder: Path, device: str) -> HmarEncoder:
    """Load a model on one thread: on "processor", or in torch on a device, such as "cuda"."""
    model = load_served(folder)
    return HmarEncoder(model if device == "processor" else moved(folder, model, device))


def measure_encode(
    folder: Path, device: str, processes: Sequence[int], frames: int, progress: Progress
) -> list[dict[str, object]]:
    """Time so many processes on the device and on the processor; one row for each number of them.

    Parameters
    ----------
    folder : Path
        The model's.
    device : str
        "cuda"; "cpu" for torch on the processor, which shows only that everything works.
    processes : sequence of int
        Numbers of processes.
    frames : int
        Frames that each process encodes.
    progress : Progress
    """
    rows: list[dict[str, object]] = []
    differing, bits, windows = differences(folder, device)
    for number, count in enumerate(processes):
        there = frames_per_s(folder, device, count, frames)
        here = frames_per_s(folder, "processor", count, max(4, frames // 8))
        rows.append(
            {
                "protocol": "gpu",
                "part": "encode",
                "name": f"{count} processes",
                "device": device,
                "windows": windows,
                "frames_per_s": round(there, 1),
                "processor_frames_per_s": round(here, 1),
                "ratio": round(there / here, 2),
                "bits_differing": f"{differing} of {bits}",
                "frames": frames,
            }
        )
        progress("encode", number + 1, len(processes))
    return rows


def differences(folder: Path, device: str) -> tuple[int, int, int]:
    """Return how many bits of some frames differ from the processor's, of how many, and windows a frame."""
    there, here = load_encoder(folder, device), load_encoder(folder, "processor")
    differing = bits = windows = 0
    for number in range(FRAMES):
        frame = body_frame(number)
        one, other = there.encode(frame), here.encode(frame)
        for own, expected in (
            (one.window_codes, other.window_codes),
            (one.global_code, other.global_code),
        ):
            differing += int(np.bitwise_count(own ^ expected).sum())
            bits += own.size * 8
        windows += len(one.window_ids)
    return differing, bits, windows // FRAMES


def frames_per_s(folder: Path, device: str, processes: int, frames: int) -> float:
    """Return how many frames a second several processes encode together, ``frames`` each."""
    context = multiprocessing.get_context("spawn")
    started = context.Barrier(processes)
    with ProcessPoolExecutor(processes, context, _begin, (started,)) as pool:
        runs = [pool.submit(_encode, folder, device, frames) for _ in range(processes)]
        spans = [run.result() for run in runs]
    return processes * frames / (max(end for _, end in spans) - min(begin for begin, _ in spans))


def _begin(started: Barrier) -> None:
    _STARTED.append(started)


def _encode(folder: Path, device: str, frames: int) -> tuple[float, float]:
    """Encode frames once every process is ready; return begin and end, on a clock that all of them share."""
    import torch

    torch.set_num_threads(1)
    encoder = load_encoder(folder, device)
    given = [body_frame(number) for number in range(FRAMES)]
    for frame in given:
        encoder.encode(frame)
    _STARTED[0].wait(START_S)
    begun = time.clock_gettime(time.CLOCK_MONOTONIC)
    for number in range(frames):
        encoder.encode(given[number % FRAMES])
    return begun, time.clock_gettime(time.CLOCK_MONOTONIC)
