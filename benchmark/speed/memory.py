"""Memory at rest: how much of the machine's memory processes take that serve the same index."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmark.speed.archive import MODEL, Archive
from hmar.codes import CODE_BYTES

PROCESSES = (1, 2)
_PATIENCE_S = 600
"""A million frames are checked, and their pages counted, in seconds; on a busy machine in minutes."""
_CHILD = "from benchmark.speed.memory import serve; serve()"


def measure_memory(archive: Archive) -> list[dict[str, object]]:
    """Open an index in one process and in two at a time; return a row for each, with the slowest's times.

    Every process opens the index as a web server does, checks it against its checksums, answers a query, and
    tells by how much its proportional set size (PSS of /proc/self/smaps_rollup: shared pages are divided
    among those that map them) has grown since it had loaded its code. What the page cache holds beyond is
    not counted, and may be had by others.
    """
    code_bytes = CODE_BYTES * archive.windows
    rows = []
    for count in PROCESSES:
        served = _serve_all(archive.folder, count)
        grown = [int(process["pss_growth_bytes"]) for process in served]
        rows.append(
            {
                "protocol": "speed",
                "part": "scan",
                "name": f"memory at rest, {count} process{'es' if count > 1 else ''}",
                "frames": archive.frames,
                "windows": archive.windows,
                "code_bytes": code_bytes,
                "pss_growth_bytes": sum(grown),
                "bytes_per_code_byte": round(sum(grown) / code_bytes, 3),
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
        # All have answered before any is measured: a page is shared by those that have looked at it.
        for line in ("ready\n", "open\n"):
            for child in children:
                if child.stdout is None or child.stdout.readline() != line:
                    raise RuntimeError("a process that was to be measured has ended")
            for child in children:
                _say(child)
        return [json.loads(child.communicate(timeout=_PATIENCE_S)[0]) for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()
            for stream in (child.stdin, child.stdout):
                if stream is not None:
                    stream.close()


def _say(child: subprocess.Popen[str]) -> None:
    if child.stdin is not None:
        child.stdin.write("go\n")
        child.stdin.flush()


def serve() -> None:
    """Be one of the processes: argument 1 is the index's folder."""
    import numpy as np

    from hmar.adapters.embedded_index import EmbeddedIndex
    from hmar.index.scan import load_kernels
    from hmar.types import Query, Selection

    load_kernels()
    before = pss_bytes()
    _wait("ready")
    begun = time.perf_counter()
    index = EmbeddedIndex(Path(sys.argv[1]), MODEL, checked=False)
    started = time.perf_counter()
    index.check()
    checked = time.perf_counter()
    code = np.zeros(CODE_BYTES, np.uint8)
    index.search_windows(Query(code, code[None], (0.0, 1.0)), 10, 128, Selection())
    _wait("open")
    told = {
        "pss_growth_bytes": pss_bytes() - before,
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


def pss_bytes() -> int:
    """Return the proportional set size of this process."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "Pss":
            return 1024 * int(value.split()[0])
    raise RuntimeError("/proc/self/smaps_rollup names no Pss")
