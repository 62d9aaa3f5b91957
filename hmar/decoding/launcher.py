"""The parent's side of the fork server: starts it, asks it for children, and ends it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from pathlib import Path

from hmar.decoding.messages import Channel, memory_file
from hmar.errors import UnavailableError

START_S = 60.0
PROGRAM = "hmar.decoding.fork_server"
_HANDED_ON = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "TMPDIR")
"""Of the environment; the rest holds passwords of the broker and the database."""
# One thread and one arena: a child decodes one frame at a time, and is measured by its memory.
_SINGLE = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MALLOC_ARENA_MAX"), "1"
)

# glibc: arrays of a frame come from memory that the last frame left, in place of the kernel's, page by page.
_REUSED = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(128 << 20)}


class ForkServer:
    """A process that forks children. Thread-safe. It is started at once and imports in the background.

    Parameters
    ----------
    program : str
        Module that it runs.
    """

    def __init__(self, program: str = PROGRAM) -> None:
        self._program = program
        self._closed = False
        self._lock = threading.Lock()
        self._start()

    @property
    def process_id(self) -> int:
        """Of the server."""
        return self._process.pid

    def fork(self, given: int | None = None) -> tuple[int, Channel]:
        """Start a child; return its process id and the channel to it.

        Parameters
        ----------
        given : int or None
            Descriptor of a file that the child reads in place of what the channel sends besides headers.

        Raises
        ------
        UnavailableError
            If none can be started, or the server is closed.
        """
        if os.getpid() != self._owner:
            # This process was forked itself: the server is that of its parent.
            self._lock = threading.Lock()
            self._start()
        with self._lock:
            if self._closed:
                raise _unavailable("The decoders are closed.")
            for _attempt in range(2):
                try:
                    return self._fork(given)
                except OSError:
                    self._end()
                    self._start()
            raise _unavailable("The program that decodes images cannot be started.")

    def end(self, process_id: int) -> int:
        """End a child; return its exit status, negative for a signal, its own if it had ended before."""
        with self._lock, suppress(OSError):
            if not self._closed:
                return self._ask(b"E", process_id)
        return -signal.SIGKILL

    def close(self) -> None:
        """End the server, and with it all children."""
        with self._lock:
            self._closed = True
            self._end()

    def _start(self) -> None:
        self._owner = os.getpid()
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", "-m", self._program, str(theirs.fileno()), str(os.getpid())]
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                command,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # Ctrl-C in a terminal is for the parent, which then closes the socket.
                process_group=0,
            )
        ours.settimeout(START_S)
        self._control = ours
        self._end = weakref.finalize(self, _end, self._process, ours, self._owner)

    def _fork(self, given: int | None) -> tuple[int, Channel]:
        ours, theirs = socket.socketpair()
        files = [memory_file(), memory_file()]
        channel = Channel(ours, *files)
        try:
            with theirs:
                incoming = files[1] if given is None else given
                process_id = self._ask(b"F", 0, [theirs.fileno(), incoming, files[0]])
        except OSError:
            channel.close()
            raise
        return process_id, channel

    def _ask(self, kind: bytes, number: int, descriptors: list[int] | None = None) -> int:
        socket.send_fds(self._control, [kind + number.to_bytes(4, "big")], descriptors or [])
        answer = self._control.recv(4, socket.MSG_WAITALL)
        if len(answer) < 4:
            raise ConnectionResetError
        return int.from_bytes(answer, "big", signed=True)


def _environment() -> dict[str, str]:
    environment = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    # This very package, wherever it was imported from.
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return environment | _SINGLE | _REUSED | {"PYTHONPATH": os.pathsep.join(paths)}


def _end(process: subprocess.Popen[bytes], control: socket.socket, owner: int) -> None:
    control.close()
    if os.getpid() == owner:
        process.kill()
        process.wait()


def _unavailable(detail: str) -> UnavailableError:
    return UnavailableError(detail, "Look at the machine's memory and limits, or run 'hmar doctor'.")
