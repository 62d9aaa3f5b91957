"""The part "load": the product at 80 % of its capacity, its latencies and its memory."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import numpy as np

from benchmark.trust.load_plot import plot_memory
from benchmark.trust.material.dicom import ROOT, dicom, stored_slice
from benchmark.trust.parts import Outcome, Part, Row, Run
from benchmark.trust.product import Product, product, pss_mb

SHARE = 0.8
MINUTES, SHORT_SECONDS = 20.0, 8.0
FLAT_MB_PER_HOUR = 60.0
_CAPACITY_S, _SHORT_CAPACITY_S = 30.0, 3.0
_CLIENTS = 8
_INDEXED, _SIDE = 200, 128
_SAMPLE_S = 2.0
_DOCS, _PICTURE = Path("docs"), "trust-memory.svg"
"""The plot lies beside the page, where the trial runs in a checkout."""
_SETTLED = 0.25
"""The slope is that of the last three quarters: caches fill in the first."""
_KINDS = ("search image", "search region", "render", "search image", "search region", "index")


@dataclass(slots=True)
class Traffic:
    """What was asked and answered."""

    latencies_ms: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    behind_s: float = 0.0

    @property
    def answered(self) -> int:
        """Number of right answers."""
        return sum(map(len, self.latencies_ms.values()))


def run(trial: Run) -> Outcome:
    """Measure the capacity, then ask at 80 % of it for 20 minutes, and sample the memory of every process.

    A third of the requests each search by an indexed image and by a region; a sixth render an uploaded file;
    a sixth submit an index job of other pixels under the UID of an indexed image, which replace it: memory
    holds codes, and an archive that grows would hide a leak. The capacity is what 8 clients without a pause
    are answered in 30 s of that mixture. Then requests begin at even intervals, whether or not those before
    are answered. Memory is the proportional set size; its slope is the least-squares line over the last three
    quarters, its 95 % interval from the means of ten blocks. Right is: no error, and for the sum of all
    processes a slope whose interval reaches below 60 MiB an hour. Codes are the thumbnail's.
    """
    seconds = SHORT_SECONDS if trial.short else 60 * MINUTES
    with product(trial.folder, HMAR_SAME_UID="replace") as running:
        mixture = _Mixture(running)
        mixture.fill()
        capacity = _capacity(mixture, _SHORT_CAPACITY_S if trial.short else _CAPACITY_S)
        rate = SHARE * capacity
        trial.say(f"capacity {capacity:.1f} requests/s, load {rate:.1f}")
        traffic, samples = _loaded(running, mixture, rate, seconds)
    rows = [_latency_row(kind, values, seconds) for kind, values in sorted(traffic.latencies_ms.items())]
    memory = [_memory_row(name, samples) for name in sorted({name for _, sizes in samples for name in sizes})]
    total = _memory_row("all", samples)
    failures = [f"{what}." for what in sorted(set(traffic.wrong))]
    if not trial.short and float(total["low"]) > FLAT_MB_PER_HOUR:
        failures.append(f"Memory grows by {total['slope']} MiB an hour, at least by {total['low']}.")
    if not trial.short and _DOCS.is_dir():
        plot_memory(samples, _DOCS / _PICTURE)
    summary: Row = {
        "capacity_per_s": round(capacity, 1),
        "load_per_s": round(rate, 1),
        "minutes": round(seconds / 60, 1),
        "requests": traffic.answered,
        "errors": len(traffic.wrong),
        "latest_start_s": round(traffic.behind_s, 2),
        "memory_mb": total["last_mb"],
        "slope_mb_per_h": total["slope"],
        "slope_low": total["low"],
        "slope_high": total["high"],
    }
    return Outcome([*rows, *map(_as_latency_row, memory)], summary, failures)


class _Mixture:
    """Requests in turn, each of which returns its kind and whether it was answered as it should be."""

    def __init__(self, running: Product) -> None:
        self._running = running
        self._files = [dicom(stored_slice(number, _SIDE), number=number) for number in range(1, 21)]
        self._versions = itertools.count(1000)
        self._turns = itertools.count()

    def fill(self) -> None:
        """Index what is searched."""
        files = {number: number for number in range(1, _INDEXED + 1)}
        self._running.finished(self._submit(files, "begin"))

    def ask(self) -> tuple[str, str]:
        """Ask the next; return its kind, and what was wrong or nothing."""
        turn = next(self._turns)
        kind = _KINDS[turn % len(_KINDS)]
        uid = f"{ROOT}.1.{turn % _INDEXED + 1}"
        if kind == "search image":
            answer = self._running.post("/api/v1/search/image", {"sop_instance_uid": uid})
        elif kind == "search region":
            body = {"sop_instance_uid": uid, "region": [40, 40, 40, 40]}
            answer = self._running.ask(
                "POST", "/api/v1/search/region", json.dumps(body).encode(), "application/json"
            )
        elif kind == "render":
            answer = self._running.send("/api/v1/render", self._files[turn % len(self._files)])
        else:
            version = next(self._versions)
            self._submit({version % _INDEXED + 1: version}, f"version-{version}")
            return kind, ""
        return kind, "" if answer.status == 200 else f"{kind} was answered {answer.status}"

    def _submit(self, pixels: dict[int, int], name: str) -> str:
        """Submit a job of instances, each with pixels of their own."""
        folder = self._running.home / "import" / name
        folder.mkdir(parents=True)
        for number, seed in pixels.items():
            (folder / f"{number}.dcm").write_bytes(dicom(stored_slice(seed, _SIDE), number=number))
        return self._running.index(name)


def _capacity(mixture: _Mixture, seconds: float) -> float:
    """Return the requests a second that clients without a pause are answered."""
    traffic, end = Traffic(), time.monotonic() + seconds
    _in_threads(lambda: _ask_until(mixture, traffic, itertools.repeat(0.0), end))
    return traffic.answered / seconds


def _loaded(
    running: Product, mixture: _Mixture, rate: float, seconds: float
) -> tuple[Traffic, list[tuple[float, dict[str, float]]]]:
    begun = time.monotonic()
    traffic, samples = Traffic(), []
    lock, places = threading.Lock(), itertools.count()

    def starts() -> Iterator[float]:
        while True:
            with lock:
                place = next(places)
            yield begun + place / rate

    def sample() -> None:
        while (now := time.monotonic()) < begun + seconds:
            samples.append((now - begun, _sizes(running)))
            time.sleep(max(0.0, _SAMPLE_S - (time.monotonic() - now)))

    sampler = threading.Thread(target=sample)
    sampler.start()
    _in_threads(lambda: _ask_until(mixture, traffic, starts(), begun + seconds))
    sampler.join()
    return traffic, samples


def _in_threads(act: Callable[[], None]) -> None:
    threads = [threading.Thread(target=act) for _ in range(_CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _ask_until(mixture: _Mixture, traffic: Traffic, starts: Iterator[float], end: float) -> None:
    """Ask at the times given until the end."""
    for start in starts:
        now = time.monotonic()
        if max(start, now) >= end:
            return
        if start > now:
            time.sleep(start - now)
        elif start:
            traffic.behind_s = max(traffic.behind_s, now - start)
        begun = time.monotonic()
        try:
            kind, wrong = mixture.ask()
        except (OSError, HTTPException) as error:
            traffic.wrong.append(f"A request broke ({type(error).__name__})")
            continue
        if wrong:
            traffic.wrong.append(wrong)
        else:
            traffic.latencies_ms.setdefault(kind, []).append(1000 * (time.monotonic() - begun))


def _sizes(running: Product) -> dict[str, float]:
    sizes: dict[str, float] = {}
    for pid, name in running.processes().items():
        sizes[name] = sizes.get(name, 0.0) + pss_mb(pid)
    return {**sizes, "all": sum(sizes.values())}


def slope_of(times_s: list[float], sizes_mb: list[float], blocks: int = 10) -> tuple[float, float, float]:
    """Return the slope in MiB an hour, and its 95 % interval, from the means of blocks."""
    cut = int(_SETTLED * len(times_s))
    times, sizes = np.array(times_s[cut:]) / 3600, np.array(sizes_mb[cut:])
    if len(times) < 2 * blocks:
        return 0.0, 0.0, 0.0
    x = np.array([part.mean() for part in np.array_split(times, blocks)])
    y = np.array([part.mean() for part in np.array_split(sizes, blocks)])
    (slope, level), spread = np.polyfit(x, y, 1), ((x - x.mean()) ** 2).sum()
    error = np.sqrt(((y - slope * x - level) ** 2).sum() / (blocks - 2) / spread)
    # Student's t at 97.5 % with 8 degrees of freedom.
    return float(slope), float(slope - 2.306 * error), float(slope + 2.306 * error)


def _memory_row(name: str, samples: list[tuple[float, dict[str, float]]]) -> Row:
    sizes = [size.get(name, 0.0) for _, size in samples]
    slope, low, high = slope_of([moment for moment, _ in samples], sizes)
    return {
        "of": name,
        "first_mb": round(sizes[0]),
        "last_mb": round(sizes[-1]),
        "slope": round(slope, 1),
        "low": round(low, 1),
        "high": round(high, 1),
    }


def _latency_row(kind: str, latencies: list[float], seconds: float) -> Row:
    p50, p95, p99 = (round(float(value), 1) for value in np.percentile(latencies, (50, 95, 99)))
    return {
        "what": kind,
        "count": len(latencies),
        "per_s": round(len(latencies) / seconds, 2),
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "unit": "ms",
        "slope_mb_per_h": "",
    }


def _as_latency_row(memory: Row) -> Row:
    """Return a process's memory in the columns of the table."""
    return {
        "what": f"memory of {memory['of']}, first and last",
        "count": "",
        "per_s": "",
        "p50": memory["first_mb"],
        "p95": "",
        "p99": memory["last_mb"],
        "unit": "MiB",
        "slope_mb_per_h": f"{memory['slope']} [{memory['low']}, {memory['high']}]",
    }


PART = Part(
    "load",
    "Load",
    run,
    "{requests} requests in {minutes} minutes at 80 % of capacity",
    "{errors} errors; memory grows by {slope_mb_per_h} MiB an hour [{slope_low}, {slope_high}]",
    alone=True,
    picture=_PICTURE,
)
