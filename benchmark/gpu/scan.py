"""The region scan on a GPU against the processor's on all cores, over the same codes.

Codes are random bits: the GPU reads and compares all of them whatever they are, so its time depends on their
number alone. The processor leaves codes out early, and less of random ones than of real ones: the ratio to it
is of this archive, the GPU's milliseconds are of any.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from benchmark.gpu.timing import alternated, percentile, ratio
from benchmark.types import Progress
from hmar.errors import ConfigError
from hmar.index.gpu.choosing import why_no_gpu
from hmar.index.hamming import Slots
from hmar.index.planes import padded
from hmar.index.scan import Scanner, Sums
from hmar.index.scanning import WindowScanner
from hmar.index.weighted import QueryCodes, WeightedCodes
from hmar.index.windows import Segment, WindowMatrix, Windows, offsets_of
from hmar.values.codes import CODE_BYTES, WEIGHTS_OF_HALF, Bits, CodeArray

K = 10
QUERIES = 32
BATCH = 16
CHECKED = 5


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked: its name, windows of a query, bits, weights or not, and the frames asked for."""

    name: str
    windows: int
    bits: Bits
    weighted: bool = False
    slots: Slots | None = None


def drawn_windows(frames: int, windows: int, seed: int = 0) -> Windows:
    """Draw frames of 0.7 to 1.3 times ``windows`` windows of random bits, a twentieth of them in the tail."""
    generator = np.random.default_rng(seed)
    counts = generator.integers(max(1, round(0.7 * windows)), round(1.3 * windows), frames, endpoint=True)
    in_base = frames - max(1, frames // 20)
    offsets = offsets_of(counts[:in_base])
    total = int(offsets[-1])
    planes = np.empty((CODE_BYTES, padded(total)), np.uint8)

    def fill(plane: int) -> None:
        words = np.random.default_rng([seed, plane]).integers(0, 1 << 64, planes.shape[1] // 8, np.uint64)
        planes[plane] = words.view(np.uint8)

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        list(pool.map(fill, range(CODE_BYTES)))
    # Without ids, which are read for hits alone.
    matrix = WindowMatrix(replace(Segment.empty(), codes=planes, offsets=offsets))
    for count in counts[in_base:].tolist():
        matrix.append(_codes(generator, count), np.arange(count, dtype=np.uint32))
    return matrix.frozen()


def measure_scan(
    frames: int, windows: int, repeats: int, warm_up: int, progress: Progress
) -> list[dict[str, object]]:
    """Time queries of one and nine windows, by bits, weights and filters; one row for each case.

    Parameters
    ----------
    frames, windows : int
        Frames, and their mean number of windows.
    repeats, warm_up : int
        Rounds.
    progress : Progress

    Raises
    ------
    ConfigError
        If there is no GPU, or its memory does not hold the codes.
    """
    if (reason := why_no_gpu()) is not None:
        raise ConfigError(f"No GPU can scan here: {reason}.", "Install NVIDIA's driver and hmar-search[gpu].")
    from hmar.index.gpu import kernels
    from hmar.index.gpu.scanner import GpuScanner

    archive = drawn_windows(frames, windows)
    threads = os.cpu_count() or 1
    processor = Scanner(threads)
    on_gpu = GpuScanner(Scanner(threads), few_frames=0)
    begun = time.perf_counter()
    on_gpu.nearest(archive, _codes(np.random.default_rng(1), 9), K, 128)  # begins to copy
    on_gpu.settle()
    copied_s = time.perf_counter() - begun
    if on_gpu.gpu_windows() != archive.windows:
        raise ConfigError(
            f"The GPU holds {on_gpu.gpu_windows()} of {archive.windows} windows.",
            "See the log for why; ask for fewer --frames.",
        )
    half = np.arange(0, frames, 2)
    cases = [
        Case("nine windows", 9, 128),
        Case("nine windows", 9, 64),
        Case("one window", 1, 128),
        Case("one window", 1, 64),
        Case("nine windows, every second frame", 9, 128, slots=half),
        Case("nine windows, weighted bits", 9, 128, weighted=True),
    ]
    rows = []
    for case in cases:
        times, equal = _times(on_gpu, processor, archive, case, repeats, warm_up, progress)
        rows.append(
            {
                "protocol": "gpu",
                "part": "scan",
                "name": f"{case.name}, {case.bits} bits",
                "device": kernels.card_name(),
                "frames": frames,
                "windows": archive.windows,
                "k": K,
                "p50_ms": percentile(times["gpu"], 50),
                "p95_ms": percentile(times["gpu"], 95),
                "batch_ms": percentile([value / BATCH for value in times["batch"]], 50),
                "processor_p50_ms": percentile(times["processor"], 50),
                "processor_threads": threads,
                "ratio": ratio(times["gpu"], times["processor"]),
                "equal": f"{equal} of {CHECKED}",
                "copied_s": round(copied_s, 2),
                "repeats": repeats,
                "warm_up": warm_up,
            }
        )
    on_gpu.close()
    processor.close()
    return rows


def _times(
    on_gpu: WindowScanner,
    processor: WindowScanner,
    archive: Windows,
    case: Case,
    repeats: int,
    warm_up: int,
    progress: Progress,
) -> tuple[dict[str, list[float]], int]:
    """Return the times of both and of a batch, and how many of the answers compared are equal."""
    queries = _queries(case)

    def one(scanner: WindowScanner, number: int) -> tuple[Slots, Sums]:
        return scanner.nearest(archive, queries[number % QUERIES], K, case.bits, case.slots)

    calls: dict[str, Callable[[int], object]] = {
        "gpu": lambda number: one(on_gpu, number),
        "batch": lambda _: on_gpu.nearest_of_each(archive, queries[:BATCH], K, case.bits, case.slots),
        "processor": lambda number: one(processor, number),
    }
    times = alternated(calls, repeats, warm_up, f"{case.name}, {case.bits} bits", progress)
    equal = sum(
        all(map(np.array_equal, one(on_gpu, number), one(processor, number))) for number in range(CHECKED)
    )
    return times, equal


def _queries(case: Case) -> Sequence[QueryCodes]:
    generator = np.random.default_rng(2)
    codes = [_codes(generator, case.windows) for _ in range(QUERIES)]
    if not case.weighted:
        return codes
    shares = np.full(64, 1 / 64)
    return [
        WeightedCodes(
            each,
            generator.multinomial(WEIGHTS_OF_HALF, shares, (case.windows, 2))
            .reshape(case.windows, 128)
            .astype(np.uint8),
        )
        for each in codes
    ]


def _codes(generator: np.random.Generator, count: int) -> CodeArray:
    codes: CodeArray = generator.integers(0, 256, (count, CODE_BYTES), np.uint8)
    return codes
