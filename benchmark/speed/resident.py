"""The memory of this process and of those that it started, what they share counted once."""

from __future__ import annotations

import os
from pathlib import Path


def resident_bytes() -> int:
    """Return the sum of the processes' proportional set sizes (PSS of /proc/PID/smaps_rollup)."""
    return sum(_pss(pid) for pid in [os.getpid(), *_children()])


def _children() -> list[int]:
    return [
        int(child)
        for task in Path("/proc/self/task").iterdir()
        for child in (task / "children").read_text("ascii").split()
    ]


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:  # it has ended meanwhile
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
