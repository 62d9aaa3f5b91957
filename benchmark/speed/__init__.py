"""``hmar bench speed``: figures as ratios to a named peer of the same run, with the quality beside each."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from benchmark.speed.archive import MODEL, Archive, write_archive
from benchmark.speed.decode import measure_decode
from benchmark.speed.encode import measure_encode
from benchmark.speed.fast_scan import CASES as FAST_CASES
from benchmark.speed.fast_scan import THREADS as FAST_THREADS
from benchmark.speed.fast_scan import made_fast, measure_fast_scan
from benchmark.speed.filtered_search import measure_filtered_search
from benchmark.speed.filters import measure_selection
from benchmark.speed.growth import growth_rows, sizes_up_to
from benchmark.speed.http import measure_http
from benchmark.speed.likeness import likeness_rows
from benchmark.speed.live import measure_live
from benchmark.speed.memory import measure_memory
from benchmark.speed.mixed import measure_mixed
from benchmark.speed.narrowed_scan import measure_narrowed_scan
from benchmark.speed.orthanc import check_installed
from benchmark.speed.pacs import measure_pacs
from benchmark.speed.people import People
from benchmark.speed.real_codes import RealCodes, read_codes
from benchmark.speed.scan import measure_scan
from benchmark.speed.seen import measure_seen
from benchmark.speed.shuffled_scan import measure_shuffled_scan
from benchmark.speed.timing import Rounds
from benchmark.speed.web_processes import measure_web_processes
from benchmark.types import Progress
from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.config import Settings
from hmar.encoder import shipped_bundle
from hmar.errors import ConfigError, ParameterError
from hmar.image.windows import NEIGHBOUR_OFFSETS
from hmar.known_models import THUMBNAIL
from hmar.model.bundle import read_info
from hmar.wiring import load_encoder

PARTS = ("encode", "kan", "scan", "filters", "decode", "http", "seen", "mixed", "processes", "pacs", "train")
ENCODE_ROUNDS = Rounds(repeats=15, warm_up=2)
KAN_ROUNDS = Rounds(repeats=60, warm_up=5)
SCAN_ROUNDS = Rounds(repeats=40, warm_up=3)
MANY_FRAMES = 200_000
SCAN_ROUNDS_OF_MANY = Rounds(repeats=8, warm_up=1)
SHUFFLED_FRAMES = 30_000
LIKENESS_SIZES = (10_000,)
FRAME_WINDOWS = 503
"""Mean of the real frames that codes are drawn from: the larger batch of the KAN layer."""
FILTER_ROUNDS = Rounds(repeats=20, warm_up=2)
DECODE_ROUNDS = Rounds(repeats=200, warm_up=20)
HTTP_ROUNDS = Rounds(repeats=6, warm_up=1)
CROPS_MEASURED = 48
HTTP_LOADS = (1, 2, 4, 8)
HTTP_REQUESTS = 4
HTTP_FRAMES = 60
DECODE_FILES = 200
SEEN_ROUNDS = Rounds(repeats=4, warm_up=1)
SEEN_FRAMES, SEEN_CLIENTS, SEEN_REQUESTS = 192, 32, 960
MIXED_ROUNDS = Rounds(repeats=2, warm_up=0)
MIXED_FRAMES, MIXED_CLIENTS, MIXED_SECONDS = 192, 32, 60.0
PROCESSES_ROUNDS = Rounds(repeats=4, warm_up=1)
PROCESSES, PROCESSES_FRAMES, PROCESSES_CLIENTS, PROCESSES_REQUESTS = 2, 32, 16, 960
PACS_ROUNDS = Rounds(repeats=1, warm_up=0)
PACS_INSTANCES = 1000
TRAIN_ROUNDS = {"cpu": Rounds(repeats=8, warm_up=2), "cuda": Rounds(repeats=30, warm_up=2)}


def run_speed(
    parts: Sequence[str],
    frames: int,
    progress: Progress,
    growth: bool = False,
    data: Path | None = None,
    device: str = "cpu",
    workers: Sequence[int] = (0, 1),
) -> list[dict[str, object]]:
    """Time the product against its peers, on one thread each unless a row says otherwise.

    Parameters
    ----------
    parts : sequence of str
        Of :data:`PARTS`; run in that order.
    frames : int
        Frames of the scanned archives, from 1. The archive behind HTTP has no more than ``HTTP_FRAMES``, and
        no more than ``PACS_INSTANCES`` come from a PACS, for frames go through the worker one by one.
    progress : Progress
    growth : bool
        Whether the scan is also timed on smaller archives, and projected to larger ones.
    data : Path or None
        Data directory of the archive that the scanned ones are drawn from; None for that of the settings.
    device : str
        Where training is timed: "cpu" or "cuda".
    workers : sequence of int
        Numbers of worker processes that training is timed with.

    Returns
    -------
    list of dict
        See :func:`benchmark.speed.timing.speed_row`.

    Raises
    ------
    ParameterError
        For a part that does not exist, or a size below 1.
    ConfigError
        If pykan, the data of the filters, Orthanc or DCMTK is not installed, if the settings name no trained
        model, or if there is no real archive to draw from.
    """
    unknown = [part for part in parts if part not in PARTS]
    if unknown or not parts:
        raise ParameterError(
            f"The parts are {', '.join(parts) or 'none'}.", f"Give some of {', '.join(PARTS)}."
        )
    if frames < 1:
        raise ParameterError(f"There are {frames} frames.", "Give 1 or more.")
    if "pacs" in parts:
        # Before the parts that take long.
        check_installed()
    measures: dict[str, Callable[[], list[dict[str, object]]]] = {
        "encode": lambda: measure_encode(_model_dir(), ENCODE_ROUNDS, CROPS_MEASURED, progress),
        "kan": lambda: _kan(progress),
        "scan": lambda: _scan(frames, growth, data, progress),
        "filters": lambda: _filters(frames, data, progress),
        "decode": lambda: _decode(min(frames, DECODE_FILES), progress),
        "http": lambda: _http(min(frames, HTTP_FRAMES), progress),
        "seen": lambda: _seen(min(frames, SEEN_FRAMES), progress),
        "mixed": lambda: _mixed(min(frames, MIXED_FRAMES), progress),
        "processes": lambda: _processes(min(frames, PROCESSES_FRAMES), progress),
        "pacs": lambda: _pacs(min(frames, PACS_INSTANCES), progress),
        "train": lambda: _train(device, workers, progress),
    }
    with _one_thread():
        return [row for part in PARTS if part in parts for row in measures[part]()]


def _kan(progress: Progress) -> list[dict[str, object]]:
    try:
        from benchmark.speed.kan import measure_kan
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"The peer pykan needs {error.name}, which is not installed.",
            "Run: pip install 'hmar-search[train]'",
        ) from error
    region_query = len(NEIGHBOUR_OFFSETS) ** 2
    return measure_kan(read_info(_model_dir()).network, (region_query, FRAME_WINDOWS), KAN_ROUNDS, progress)


def _scan(frames: int, growth: bool, data: Path | None, progress: Progress) -> list[dict[str, object]]:
    codes = read_codes(_settings(data))
    people = People(codes.series)
    rows = likeness_rows(codes, people, [size for size in LIKENESS_SIZES if size <= frames])
    scanned, fast = [], []
    for size in sizes_up_to(frames) if growth else [frames]:
        rounds = SCAN_ROUNDS if size <= MANY_FRAMES else SCAN_ROUNDS_OF_MANY
        cases = FAST_CASES if size == frames else FAST_CASES[:1]
        with tempfile.TemporaryDirectory(prefix="hmar-speed-") as folder:
            archive = write_archive(Path(folder), people, codes.queries, size)
            scanned += measure_scan(archive, rounds, progress)
            with _index(archive) as index:
                fast += measure_fast_scan(archive, index, codes, rounds, progress, cases)
            if size == frames:
                rows += measure_narrowed_scan(archive, rounds, progress)
                rows += measure_live(archive, progress)
                rows += measure_memory(archive)
    shuffled = _shuffled(min(frames, SHUFFLED_FRAMES), codes, people, progress)
    return [*scanned, *fast, *shuffled, *rows, *(growth_rows([*scanned, *made_fast(fast)]) if growth else [])]


def _shuffled(frames: int, codes: RealCodes, people: People, progress: Progress) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory(prefix="hmar-speed-") as folder:
        archives = [
            write_archive(Path(folder, name), people, codes.queries, frames, shuffled=name == "shuffled")
            for name in ("shuffled", "ordered")
        ]
        with _index(archives[0]) as shuffled, _index(archives[1]) as ordered:
            return measure_shuffled_scan(archives[0], shuffled, ordered, codes, SCAN_ROUNDS, progress)


@contextmanager
def _index(archive: Archive) -> Iterator[EmbeddedIndex]:
    index = EmbeddedIndex(archive.folder, MODEL, FAST_THREADS, checked=False)
    try:
        yield index
    finally:
        index.close()


def _settings(data: Path | None) -> Settings:
    settings = Settings.from_environment(os.environ)
    return (settings if data is None else replace(settings, home=data)).checked()


def _filters(frames: int, data: Path | None, progress: Progress) -> list[dict[str, object]]:
    try:
        from benchmark.speed.idc import series_infos
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"The part filters needs {error.name}, which is not installed.",
            "Run: pip install 'hmar-search[bench]'",
        ) from error
    infos = [info for batch in series_infos() for info in batch]
    rows = measure_selection([infos], FILTER_ROUNDS, progress)
    spread = [infos[number * len(infos) // frames] for number in range(frames)]
    with tempfile.TemporaryDirectory(prefix="hmar-speed-") as folder:
        codes = read_codes(_settings(data))
        archive = write_archive(Path(folder, "drawn"), People(codes.series), codes.queries, frames)
        return rows + measure_filtered_search(archive, spread, FILTER_ROUNDS, Path(folder, "known"), progress)


def _decode(files: int, progress: Progress) -> list[dict[str, object]]:
    settings = Settings.from_environment(os.environ)
    study = settings.home / "sample-data"
    with tempfile.TemporaryDirectory(prefix="hmar-speed-") as folder:
        home = replace(settings, home=Path(folder))
        encoder = load_encoder(settings)
        return measure_decode(
            home, encoder, study if study.is_dir() else None, files, DECODE_ROUNDS, progress
        )


def _http(frames: int, progress: Progress) -> list[dict[str, object]]:
    settings = Settings.from_environment(os.environ)
    with tempfile.TemporaryDirectory(prefix="hmar-speed-") as folder:
        home = replace(settings, home=Path(folder))
        return measure_http(home, frames, HTTP_LOADS, HTTP_REQUESTS, HTTP_ROUNDS, progress)


def _seen(frames: int, progress: Progress) -> list[dict[str, object]]:
    settings = Settings.from_environment(os.environ)
    with tempfile.TemporaryDirectory(prefix="hmar-speed-") as folder:
        home = replace(settings, home=Path(folder))
        return measure_seen(home, frames, SEEN_CLIENTS, SEEN_REQUESTS, SEEN_ROUNDS, progress)


def _mixed(frames: int, progress: Progress) -> list[dict[str, object]]:
    settings = Settings.from_environment(os.environ)
    with tempfile.TemporaryDirectory(prefix="hmar-speed-") as folder:
        home = replace(settings, home=Path(folder))
        return measure_mixed(home, frames, MIXED_CLIENTS, MIXED_SECONDS, MIXED_ROUNDS, progress)


def _processes(frames: int, progress: Progress) -> list[dict[str, object]]:
    settings = Settings.from_environment(os.environ)
    with tempfile.TemporaryDirectory(prefix="hmar-speed-") as folder:
        home = replace(settings, home=Path(folder))
        return measure_web_processes(
            home, PROCESSES, frames, PROCESSES_CLIENTS, PROCESSES_REQUESTS, PROCESSES_ROUNDS, progress
        )


def _pacs(instances: int, progress: Progress) -> list[dict[str, object]]:
    settings = Settings.from_environment(os.environ)
    with tempfile.TemporaryDirectory(prefix="hmar-speed-") as folder:
        home = replace(settings, home=Path(folder))
        return measure_pacs(home, instances, PACS_ROUNDS, progress)


def _train(device: str, workers: Sequence[int], progress: Progress) -> list[dict[str, object]]:
    try:
        from benchmark.speed.train import measure_train
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"The part train needs {error.name}, which is not installed.",
            "Run: pip install 'hmar-search[train]'",
        ) from error
    return measure_train(device, workers, TRAIN_ROUNDS[device], progress)


def _model_dir() -> Path:
    model_dir = Settings.from_environment(os.environ).model_dir
    if model_dir == THUMBNAIL:
        raise ConfigError("HMAR_MODEL_DIR is 'thumbnail', which has no windows to learn.", "Unset it.")
    return Path(model_dir) if model_dir else shipped_bundle()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread, as the product's runtime does; restore its setting at the end."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
