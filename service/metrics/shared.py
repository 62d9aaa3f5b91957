"""The folder in which several web processes keep their figures, so that any of them tells the sums.

Counters, gauges and histograms are in files that each process maps under its number, so that what a killed
one has counted stays. Its process id tells the others where the kernel has the figures of the process itself.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

_PROCESS = "process-"
_ID = struct.Struct("<Q")
"""A process id, 0 where no process has served under that number yet."""
MAPPED_BYTES = {"counter_{}.db": 64 << 10, "gauge_sum_{}.db": 64 << 10, "histogram_{}.db": 8 << 20}
"""Files of a process, as prometheus_client names them, with room for all that they can hold: each method and
status of a route takes 3 KB. A file that grows on a full disk ends the process that has it mapped (mmap(2):
SIGBUS)."""


def variables(folder: Path) -> dict[str, str]:
    """Return the environment of a process that keeps its figures in a folder, which must be there."""
    return {"PROMETHEUS_MULTIPROC_DIR": str(folder)}


def make_files(folder: Path, processes: int) -> None:
    """Make the empty files of so many processes; raises OSError where there is no room for them."""
    for number in range(processes):
        for name, size in MAPPED_BYTES.items():
            (folder / name.format(number)).write_bytes(bytes(size))
        _process_file(folder, number).write_bytes(_ID.pack(0))


@dataclass(frozen=True, slots=True)
class SharedFigures:
    """Where the figures of several processes are.

    Parameters
    ----------
    folder : Path
        The one of :func:`variables`.
    number : int
        Of this process, from 0.
    """

    folder: Path
    number: int

    def enter(self) -> None:
        """Tell the process id of this process, in place of the one that had its number before."""
        with _process_file(self.folder, self.number).open("r+b") as file:
            file.write(_ID.pack(os.getpid()))

    def process_ids(self) -> dict[int, int]:
        """Return the ids of all processes that have served, by their numbers."""
        found = {}
        for file in self.folder.glob(f"{_PROCESS}*"):
            [process_id] = _ID.unpack(file.read_bytes())
            if process_id:
                found[int(file.name.removeprefix(_PROCESS))] = process_id
        return dict(sorted(found.items()))


def _process_file(folder: Path, number: int) -> Path:
    return folder / f"{_PROCESS}{number}"
