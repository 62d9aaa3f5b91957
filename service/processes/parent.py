"""The parent of several web processes: listens, starts them, starts again what crashes, stops them in order.

It serves nothing itself and opens no archive. The processes accept connections from its sockets: who is free
takes the next one, and while one is gone the others take all.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from hmar.config import Settings
from hmar.disk import writing
from hmar.processes import Child
from service.edge.known import make_file as make_limits
from service.edge.listening import listen_at
from service.metrics.shared import make_files as make_figures
from service.metrics.shared import variables
from service.processes.place import LIMITS_FILE, Place

PROGRAM = "service.processes"
LISTENING = "listening on "
"""Begins the line by which a process says that it serves."""
HOPELESS = 3
"""Crashes of one process, before any has served, at which the start is given up."""
POLL_S = 0.1
_log = logging.getLogger("hmar.service.processes")


def serve_by_several(settings: Settings) -> int:
    """Serve by as many processes as the settings say, until SIGTERM or SIGINT; return the exit status.

    Raises
    ------
    ConfigError
        If the port cannot be opened.
    OperatorError
        If there is no room for what the processes share.
    """
    with _listening(settings) as sockets, _folder(settings.web_processes) as folder:
        return Parent(settings.web_processes, sockets, folder).run()


class Parent:
    """Runs web processes until SIGTERM or SIGINT; a second signal stops them without grace.

    Parameters
    ----------
    processes : int
    sockets : sequence of socket
        They listen; closed when the processes are stopped.
    folder : Path
        What the processes share, with the file of the limits in it.
    """

    def __init__(self, processes: int, sockets: Sequence[socket.socket], folder: Path) -> None:
        self._sockets = sockets
        self._signals = 0
        self._stopping = threading.Event()
        self._served = threading.Event()
        self._hearing = threading.Lock()
        descriptors = tuple(one.fileno() for one in sockets)
        self._children = [
            self._child(Place(number, processes, folder, descriptors)) for number in range(processes)
        ]

    def run(self) -> int:
        """Run; return the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            for child in self._children:
                child.start()
            while not self._stopping.wait(POLL_S):
                for child in self._children:
                    child.tend()
                if self._is_hopeless():
                    _log.error("no web process could be started; its lines above say why")
                    return 1
        finally:
            self._stop()
        return 0

    def _child(self, place: Place) -> Child:
        return Child(
            f"web process {place.number + 1}",
            [sys.executable, "-m", PROGRAM, *place.arguments],
            os.environ | variables(place.folder),
            self._hear,
            descriptors=place.descriptors,
            own_errors=True,
        )

    def _hear(self, name: str, line: str) -> None:
        """Announce the address when the first process serves; log what becomes of them."""
        if not line.startswith(LISTENING):
            _log.warning("%s", line)
            return
        with self._hearing:
            if not self._served.is_set():
                self._served.set()
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
        _log.info("%s serves", name)

    def _is_hopeless(self) -> bool:
        return not self._served.is_set() and any(child.failures >= HOPELESS for child in self._children)

    def _stop(self) -> None:
        """Let no more connections come, and wait until all processes have answered what they have in hand."""
        for one in self._sockets:
            one.close()
        for child in self._children:
            child.terminate()
        for child in self._children:
            child.await_end(float("inf"), hurry=lambda: self._signals > 1)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        self._stopping.set()


@contextmanager
def _listening(settings: Settings) -> Iterator[list[socket.socket]]:
    sockets = listen_at(settings)
    try:
        yield sockets
    finally:
        for one in sockets:
            one.close()


@contextmanager
def _folder(processes: int) -> Iterator[Path]:
    """Give the folder that the processes share, which nobody else may read.

    It is locked, for what removes old temporary files leaves a locked folder alone (systemd-tmpfiles(8)).
    """
    with ExitStack() as held:
        with writing("The folder for temporary files"):
            folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="hmar-web-")))
            descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            held.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            make_limits(folder / LIMITS_FILE, processes)
            make_figures(folder, processes)
        yield folder
