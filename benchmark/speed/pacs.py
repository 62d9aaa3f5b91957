"""Instances that come from a PACS: pulled from a real Orthanc, sent by C-STORE and by STOW-RS."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from benchmark.speed.orthanc import Orthanc, check_installed, free_port, running_orthanc, send
from benchmark.speed.phantom import SIDE, phantom_file
from benchmark.speed.product import Client
from benchmark.speed.timing import Milliseconds, Rounds, speed_row
from benchmark.speed.watch import Watch
from benchmark.types import Progress
from hmar.config import Settings
from hmar.errors import UnavailableError
from hmar.product.running import RunningProduct, running_product
from hmar.wiring import build_engine

FOLDER, PULL, C_STORE, STOW = "folder", "pull", "C-STORE", "STOW-RS"
WAYS = (FOLDER, PULL, C_STORE, STOW)
TITLES = {PULL: "pull from Orthanc", C_STORE: "C-STORE to the listener", STOW: "STOW-RS"}
STOW_FILES = 16
"""Instances of one request."""
STALL_S = 120.0
"""So long nothing may be indexed before a run is given up."""
POLL_S = 0.5
_REMEDY = "Run 'hmar doctor', then try again."


@dataclass(slots=True)
class Times:
    """Of one way, by round, in seconds; memory is the largest of all rounds."""

    answered_s: list[float] = field(default_factory=list)
    indexed_s: list[float] = field(default_factory=list)
    processor_s: list[Mapping[str, float]] = field(default_factory=list)
    memory_mib: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    codes: dict[str, object] = field(default_factory=dict)
    """What the catalogue has of each instance, in the last round."""


def measure_pacs(
    settings: Settings, instances: int, rounds: Rounds, progress: Progress, side: int = SIDE
) -> list[dict[str, object]]:
    """Time the same phantoms coming in three ways, beside indexing them from a folder.

    The product starts anew, over an empty archive, for each way and round. Orthanc, the senders and the
    product share this machine. storescu into that Orthanc, before the product starts, is the peer of
    C-STORE's answers.

    Parameters
    ----------
    settings : Settings
        ``home`` is written to; model, threads and niceness are those of the product.
    instances : int
        Phantom slices, from 1.
    rounds : Rounds
    progress : Progress
    side : int
        Rows and columns of the slices.

    Raises
    ------
    ConfigError
        If Orthanc, its DICOMweb or storescu is not installed.
    UnavailableError
        If the product or Orthanc does not start, or does not take everything.
    """
    check_installed()
    files = settings.home / "files"
    _write(files / "phantoms", instances, side)
    times = {way: Times() for way in WAYS}
    floor_s = []
    for number in range(rounds.total):
        with running_orthanc(settings.home / f"orthanc-{number}") as orthanc:
            begun = time.perf_counter()
            send(files / "phantoms", orthanc.dicom_port, "ORTHANC")
            floor_s.append(time.perf_counter() - begun)
            turn = WAYS if number % 2 == 0 else WAYS[::-1]
            for count, way in enumerate(turn):
                home = settings.home / f"{way}-{number}"
                _measure(way, home, settings, files, orthanc, instances, times[way])
                progress("from a PACS", number * len(WAYS) + count + 1, rounds.total * len(WAYS))
    setting = f"{instances} phantom slices of {side}x{side}, one worker; STOW-RS {STOW_FILES} to a request"
    threads = f"{settings.encoder_threads} encoder; {os.cpu_count()} cores in all, senders on them too"
    rows = [_row(way, times[way], times[FOLDER], instances, rounds) for way in WAYS[1:]]
    rows.append(_floor_row(times[C_STORE], floor_s, instances, rounds))
    return [{**row, "setting": setting, "threads": threads} for row in rows]


def _write(folder: Path, instances: int, side: int) -> None:
    folder.mkdir(parents=True)
    for number in range(instances):
        (folder / f"{number:05}.dcm").write_bytes(phantom_file(number, side))


def _measure(
    way: str, home: Path, settings: Settings, files: Path, orthanc: Orthanc, instances: int, times: Times
) -> None:
    home.mkdir()
    (home / "pacs.toml").write_text(f'[orthanc]\nroot = "{orthanc.root}"\n')
    port = free_port()
    chosen = {
        "HMAR_MODEL_DIR": settings.model_dir,
        "HMAR_ENCODER_THREADS": str(settings.encoder_threads),
        "HMAR_WORKER_NICE": str(settings.worker_nice),
        "HMAR_IMPORT_DIR": str(files),
        "HMAR_LISTEN_PORT": str(port),
    }
    with running_product(home, chosen) as product, closing(Client(product.url, product.key)) as client:
        ways: dict[str, Callable[[], object]] = {
            FOLDER: lambda: client.call("POST", "/api/v1/index-jobs", {"folder": "phantoms"}),
            PULL: lambda: client.call("POST", "/api/v1/index-jobs", {"pacs": {"name": "orthanc"}}),
            C_STORE: lambda: send(files / "phantoms", port, "HMAR"),
            STOW: lambda: _stow(product, sorted((files / "phantoms").iterdir())),
        }
        with closing(Watch(product.process.pid)) as watch:
            begun = time.perf_counter()
            ways[way]()
            times.answered_s.append(time.perf_counter() - begun)
            _await_frames(product, client, instances)
            times.indexed_s.append(time.perf_counter() - begun)
        times.processor_s.append(watch.processor_s())
        for kind, peak in watch.peaks.items():
            times.memory_mib[kind] = max(times.memory_mib[kind], peak)
    times.codes = _codes(home)


def _stow(product: RunningProduct, files: Sequence[Path]) -> None:
    """Send files by STOW-RS on one connection."""
    headers = {
        "Authorization": f"Bearer {product.key}",
        "Content-Type": 'multipart/related; type="application/dicom"; boundary=part',
    }
    head = b"--part\r\nContent-Type: application/dicom\r\n\r\n"
    with closing(HTTPConnection(urlsplit(product.url).netloc, timeout=STALL_S)) as connection:
        for first in range(0, len(files), STOW_FILES):
            parts = [head + path.read_bytes() + b"\r\n" for path in files[first : first + STOW_FILES]]
            connection.request("POST", "/dicom-web/studies", b"".join(parts) + b"--part--", headers)
            answer = connection.getresponse()
            told = answer.read()
            if answer.status != 200:
                raise UnavailableError(f"STOW-RS was answered {answer.status}: {told!r}.", _REMEDY)


def _await_frames(product: RunningProduct, client: Client, instances: int) -> None:
    """Wait until so many frames are committed."""
    indexed, last_news = 0, time.monotonic()
    while indexed < instances:
        time.sleep(POLL_S)
        product.check()
        [collection] = _collections(client) or [{"frames": 0}]
        if int(str(collection["frames"])) > indexed:
            indexed, last_news = int(str(collection["frames"])), time.monotonic()
        if time.monotonic() > last_news + STALL_S:
            raise UnavailableError(f"{indexed} of {instances} instances were indexed.", _REMEDY)


def _collections(client: Client) -> list[Mapping[str, object]]:
    listed = client.call("GET", "/api/v1/collections")["collections"]
    return listed if isinstance(listed, list) else []


def _codes(home: Path) -> dict[str, object]:
    """Return what the catalogue has of each instance: header, codes of the image and of its windows."""
    with closing(build_engine(Settings(home=home).checked())) as engine:
        catalogue = engine.catalogue
        rows = catalogue.tail(0, catalogue.last_seq())
        return {row.encoded.info.sop_instance_uid: row.encoded.to_dict() for row in rows if row.encoded}


def _row(way: str, own: Times, peer: Times, instances: int, rounds: Rounds) -> dict[str, object]:
    equal = sum(own.codes.get(uid) == told for uid, told in peer.codes.items())
    own_ms, peer_ms = (_each_ms(times.indexed_s, instances, rounds) for times in (own, peer))
    return speed_row(
        "pacs",
        f"an instance, {TITLES[way]}, until all are indexed",
        "the same files indexed from a folder",
        own_ms,
        peer_ms,
        rounds,
        own_per_s=_per_s(own.indexed_s, instances, rounds),
        peer_per_s=_per_s(peer.indexed_s, instances, rounds),
        # A pull is answered before anything has come.
        answered_per_s=None if way == PULL else _per_s(own.answered_s, instances, rounds),
        quality={"header and codes equal to the peer's": f"{equal} of {instances}"},
        memory_mib=dict(own.memory_mib),
        peer_memory_mib=dict(peer.memory_mib),
        processor_ms_by_process=_processor_ms(own, instances, rounds),
        peer_processor_ms_by_process=_processor_ms(peer, instances, rounds),
    )


def _floor_row(own: Times, floor_s: Sequence[float], instances: int, rounds: Rounds) -> dict[str, object]:
    return speed_row(
        "pacs",
        "an instance, C-STORE to the listener, until all are answered",
        "the same storescu to Orthanc alone",
        _each_ms(own.answered_s, instances, rounds),
        _each_ms(floor_s, instances, rounds),
        rounds,
        own_per_s=_per_s(own.answered_s, instances, rounds),
        peer_per_s=_per_s(floor_s, instances, rounds),
        quality={"instances taken": f"{len(own.codes)} of {instances}"},
    )


def _each_ms(seconds: Sequence[float], instances: int, rounds: Rounds) -> Milliseconds:
    return np.array(seconds[rounds.warm_up :]) * 1000 / instances


def _per_s(seconds: Sequence[float], instances: int, rounds: Rounds) -> float:
    return round(instances / float(np.median(seconds[rounds.warm_up :])), 2)


def _processor_ms(times: Times, instances: int, rounds: Rounds) -> dict[str, float]:
    counted = times.processor_s[rounds.warm_up :]
    kinds = sorted({kind for one in counted for kind in one})
    return {
        kind: round(1000 * float(np.median([one.get(kind, 0.0) for one in counted])) / instances, 1)
        for kind in kinds
    }
