"""The part "bombs": small files that ask for a great deal, sent in every way there is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmark.trust.material.bombs import BOMBS
from benchmark.trust.material.dicom import dicom, stored_slice
from benchmark.trust.parts import Outcome, Part, Row, Run
from benchmark.trust.product import Product, children, processor_s, product

PROCESSOR_S = 2.0
MEMORY_MB = 512.0
SHORT = ("deflated_no_length", "frames_100k", "palette_segments", "jpeg_progressive")
_HARMLESS = frozenset({"png_profile"})
"""What inflates is of no use for the pixels, and is left out: the picture is read."""


class Cost(NamedTuple):
    """Processor time and memory above rest, of all processes of the product together."""

    processor_s: float
    memory_mb: float


def run(trial: Run) -> Outcome:
    """Send each bomb to /render, to /search/image and through an index job of the product.

    Right is a refusal (413 or 422; a failed item with its reason), or the picture where what inflates is not
    needed for it, for at most 2 s of processor time and 512 MiB of memory above rest, and no process ends but
    decoders. Memory is the sum over the product's processes of each one's highest resident size less that at
    rest; processor time that of all of them, waited-for children included.
    """
    rows: list[Row] = []
    failures: list[str] = []
    with product(trial.folder, HMAR_DECODERS="1") as running:
        _warm_up(running)
        rest = _resident(running)
        before = running.parts()
        for name in SHORT if trial.short else tuple(BOMBS):
            data = BOMBS[name].make()
            for way, send in _WAYS.items():
                verdict, cost = _measured(running, rest, partial(send, running, data))
                rows.append(_row(name, way, len(data), verdict, cost))
                failures += _judged(rows[-1], name, cost)
            trial.say(f"{name}: {verdict}")
        if running.parts() != before:
            failures.append(f"The parts were {before} and are {running.parts()}.")
    summary: Row = {
        "bombs": len(rows),
        "bounded": len(rows) - len(failures),
        "most_processor_s": max(float(row["processor_s"]) for row in rows),
        "most_memory_mb": max(float(row["memory_mb"]) for row in rows),
    }
    return Outcome(rows, summary, failures)


def _render(running: Product, data: bytes) -> str:
    return _verdict(running.send("/api/v1/render", data).status)


def _search(running: Product, data: bytes) -> str:
    return _verdict(running.send("/api/v1/search/image", data).status)


def _index(running: Product, data: bytes) -> str:
    folder = running.home / "import" / "bomb"
    folder.mkdir(exist_ok=True)
    (folder / "bomb").write_bytes(data)
    job = running.finished(running.index("bomb"))
    counts = {state: count for state, count in job["counts"].items() if count}
    return {"failed": "refused", "indexed": "read", "unchanged": "read"}.get(
        next(iter(counts), ""), f"items {counts}"
    )


_WAYS: dict[str, Callable[[Product, bytes], str]] = {"render": _render, "search": _search, "index": _index}


def _verdict(status: int) -> str:
    return {200: "read", 413: "refused", 422: "refused"}.get(status, f"status {status}")


def _judged(row: Row, name: str, cost: Cost) -> list[str]:
    found = []
    allowed = ("read", "refused") if name in _HARMLESS else ("refused",)
    if row["verdict"] not in allowed:
        found.append(f"{name} by {row['way']}: {row['verdict']}.")
    if cost.processor_s > PROCESSOR_S or cost.memory_mb > MEMORY_MB:
        found.append(
            f"{name} by {row['way']} took {cost.processor_s:.1f} s of processor time and "
            f"{cost.memory_mb:.0f} MiB; {PROCESSOR_S:g} s and {MEMORY_MB:g} MiB are allowed."
        )
    return found


def _row(name: str, way: str, size: int, verdict: str, cost: Cost) -> Row:
    return {
        "bomb": name,
        "does": BOMBS[name].does,
        "bytes": size,
        "way": way,
        "verdict": verdict,
        "processor_s": round(cost.processor_s, 2),
        "memory_mb": round(cost.memory_mb),
    }


def _warm_up(running: Product) -> None:
    """Start what is started by the first request, in both the web server and the worker."""
    for send in _WAYS.values():
        send(running, dicom(stored_slice(1), number=2))


def _measured(running: Product, rest: dict[int, float], act: Callable[[], str]) -> tuple[str, Cost]:
    for pid in running.processes():
        # proc(5): 5 resets the highest resident size.
        _written(pid, "clear_refs", "5")
    begun = _processor_s(running)
    verdict = act()
    spent = _processor_s(running) - begun
    grown = 0.0
    for pid in running.processes():
        grown += max(0.0, _status_mb(pid, "VmHWM") - rest.get(pid, _parents(running, pid, rest)))
    return verdict, Cost(max(spent, 0.0), grown)


def _parents(running: Product, pid: int, rest: dict[int, float]) -> float:
    """Return the size at rest of the process that a new one was forked from."""
    return next((rest.get(other, 0.0) for other in running.processes() if pid in children(other)), 0.0)


def _resident(running: Product) -> dict[int, float]:
    return {pid: _status_mb(pid, "VmRSS") for pid in running.processes()}


def _processor_s(running: Product) -> float:
    return sum(processor_s(pid) for pid in running.processes())


def _status_mb(pid: int, field: str) -> float:
    try:
        text = Path("/proc", str(pid), "status").read_text()
    except OSError:
        return 0.0
    line = next((line for line in text.splitlines() if line.startswith(f"{field}:")), f"{field}: 0 kB")
    return int(line.split()[1]) / 1024


def _written(pid: int, name: str, text: str) -> None:
    try:
        Path("/proc", str(pid), name).write_text(text)
    except OSError:
        return


PART = Part(
    "bombs",
    "Bombs",
    run,
    "{bombs} small files that ask for a great deal",
    "{bounded} refused or read, within {most_processor_s} s and {most_memory_mb} MiB at most",
)
