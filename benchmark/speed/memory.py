"""Memory at rest: how much memory processes that serve the same index take."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmark.speed.archive import MODEL, Archive
from hmar.values.codes import CODE_BYTES

PROCESSES = (1, 2)
_SMAPS_FIELDS = 5
"""Fields before the path in the heading of a mapping: addresses, permissions, offset, device, inode."""
_QUERY_WINDOWS = 9
_CHILD = "from benchmark.speed.memory import serve; serve()"


def measure_memory(archive: Archive) -> list[dict[str, object]]:
    """Open an index in one process and in two at a time; return a row for each, with the slowest's times.

    Every process opens the index as a web server does, checks it against its checksums, answers a query, and
    reports by how much its memory has grown since its code was loaded: private pages, and its share of the
    index's pages that it has mapped (Rss of /proc/self/smaps). All processes map the same pages, which count
    once: those of the process that has most. The query is one of nine windows at 128 bits that reads every
    plane of the codes, and not the skim: only fast searches do. Pages of libraries are left out, because a
    process's share of them falls when another starts. Other pages in the page cache are not counted: the
    system can reclaim them.
    """
    code_bytes = CODE_BYTES * archive.windows
    stored = {file.name: file.stat().st_size for file in archive.folder.rglob("*") if file.is_file()}
    rows = []
    for count in PROCESSES:
        served = _serve_all(archive.folder, count)
        mapped = max(int(process["mapped_bytes"]) for process in served)
        held = mapped + sum(int(process["own_bytes"]) for process in served)
        rows.append(
            {
                "protocol": "speed",
                "part": "scan",
                "name": f"memory at rest, {count} process{'es' if count > 1 else ''}",
                "frames": archive.frames,
                "windows": archive.windows,
                "code_bytes": code_bytes,
                "held_bytes": held,
                "mapped_bytes": mapped,
                "bytes_per_code_byte": round(held / code_bytes, 3),
                "bytes_per_window": round(held / archive.windows, 2),
                "stored_bytes_per_window": round(sum(stored.values()) / archive.windows, 2),
                "skim_bytes_per_window": round(stored["skim_codes.npy"] / archive.windows, 2),
                "start_s": round(max(process["start_s"] for process in served), 3),
                "check_s": round(max(process["check_s"] for process in served), 3),
            }
        )
    return rows


def _serve_all(folder: Path, processes: int) -> Sequence[dict[str, float]]:
    children = [
        subprocess.Popen(  # noqa: S603 (our own interpreter and program)
            [sys.executable, "-c", _CHILD, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    try:
        # All have answered before any is measured: a page is shared by the processes that have touched it.
        for line in ("ready\n", "open\n"):
            for child in children:
                if _line(child) != line:
                    raise RuntimeError("a process ended before it was measured")
            for child in children:
                _say(child)
        # None ends before all are measured: its share would be counted to the others.
        return [json.loads(_line(child)) for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()
            for stream in (child.stdin, child.stdout):
                if stream is not None:
                    stream.close()


def _line(child: subprocess.Popen[str]) -> str:
    return "" if child.stdout is None else child.stdout.readline()


def _say(child: subprocess.Popen[str]) -> None:
    if child.stdin is not None:
        child.stdin.write("go\n")
        child.stdin.flush()


def serve() -> None:
    """Run as one of the processes: argument 1 is the index's folder."""
    import numpy as np

    from hmar.adapters.embedded_index import EmbeddedIndex
    from hmar.index.scan import load_kernels
    from hmar.values.codes import Query
    from hmar.values.selection import Selection

    folder = Path(sys.argv[1])
    load_kernels()
    own_before, _ = held_bytes(folder)
    _wait("ready")
    begun = time.perf_counter()
    index = EmbeddedIndex(folder, MODEL, checked=False)
    started = time.perf_counter()
    index.check()
    checked = time.perf_counter()
    codes = np.random.default_rng(0).integers(0, 256, (_QUERY_WINDOWS, CODE_BYTES), np.uint8)
    index.search_windows(Query(codes[0], codes, (0.0, 1.0)), 10, 128, Selection())
    _wait("open")
    own, mapped = held_bytes(folder)
    told = {
        "own_bytes": own - own_before,
        "mapped_bytes": mapped,
        "start_s": started - begun,
        "check_s": checked - started,
    }
    sys.stdout.write(f"{json.dumps(told)}\n")
    sys.stdout.flush()
    sys.stdin.readline()


def _wait(state: str) -> None:
    sys.stdout.write(f"{state}\n")
    sys.stdout.flush()
    sys.stdin.readline()


def held_bytes(folder: Path) -> tuple[int, int]:
    """Return the bytes of this process's private pages, and of its mapped pages of files in ``folder``."""
    own, mapped, path = 0, 0, ""
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, *values = line.split(maxsplit=_SMAPS_FIELDS)
        if not name.endswith(":"):
            path = values[-1] if len(values) == _SMAPS_FIELDS else ""
        elif path.startswith(f"{folder.resolve()}/"):
            mapped += 1024 * int(values[0]) if name == "Rss:" else 0
        elif name == "Anonymous:":
            own += 1024 * int(values[0])
    return own, mapped
