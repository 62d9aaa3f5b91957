"""What the product's processes take: memory and processor time, by kind of process, read from /proc."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_KINDS = {
    "hmar.listener": "listener",
    "service": "web server",
    "workers": "worker",
    "hmar.decoding.fork_server": "decoders",
}
_PAUSE_S = 0.05
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_UTIME, _STIME = 11, 12
"""Fields after the command's name (proc(5))."""


class _Used(NamedTuple):
    kind: str
    before_s: float
    last_s: float


class Watch:
    """Notes what every process below one takes, until it is closed.

    Parameters
    ----------
    root : int
        Process id of the supervisor.
    """

    def __init__(self, root: int) -> None:
        self.peaks: defaultdict[str, int] = defaultdict(int)
        """Largest resident memory of a process since its start (VmHWM), in MiB, by kind."""
        self._root, self._stopped = root, threading.Event()
        self._used: dict[int, _Used] = {}
        self._look(first=True)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def processor_s(self) -> dict[str, float]:
        """Return the processor time since the watch began, by kind."""
        spent: defaultdict[str, float] = defaultdict(float)
        for used in list(self._used.values()):
            spent[used.kind] += used.last_s - used.before_s
        return dict(spent)

    def close(self) -> None:
        """Stop, after a last look."""
        self._stopped.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._stopped.wait(_PAUSE_S):
            self._look()

    def _look(self, first: bool = False) -> None:
        parents = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError, IndexError, ValueError):
                parents[int(folder.name)] = int(_stat(folder)[1])
        for process in parents:
            if self._root in _ancestors(process, parents):
                # A process may end between two readings.
                with suppress(OSError, IndexError):
                    self._note(process, first)

    def _note(self, process: int, first: bool) -> None:
        folder = Path("/proc", str(process))
        arguments = (folder / "cmdline").read_bytes().decode().split("\0")
        kind = next((_KINDS[word] for word in arguments if word in _KINDS), None)
        if kind is None:
            return
        status = (folder / "status").read_text()
        self.peaks[kind] = max(self.peaks[kind], int(status.partition("VmHWM:")[2].split()[0]) >> 10)
        fields = _stat(folder)
        seconds = (int(fields[_UTIME]) + int(fields[_STIME])) * _TICK_S
        before = self._used.get(process)
        self._used[process] = _Used(kind, before.before_s if before else seconds if first else 0.0, seconds)


def _stat(folder: Path) -> list[str]:
    """Return the fields after the name, which is in parentheses and may hold anything."""
    return (folder / "stat").read_text().rpartition(")")[2].split()


def _ancestors(process: int, parents: Mapping[int, int]) -> set[int]:
    found: set[int] = set()
    while process in parents and process not in found:
        found.add(process)
        process = parents[process]
    return found
