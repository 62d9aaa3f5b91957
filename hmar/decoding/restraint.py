"""What a child may do, told to the kernel: no more memory, time and files than a request needs."""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from hmar.decoding.limits import MAX_FRAME_PIXELS, DecodeLimits

_PR_SET_PDEATHSIG = 1
_DATA_FIELD = 5
"""Of /proc/self/statm: pages of data and stack."""
_FLOAT_BYTES = 4


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, however it ends (Linux; prctl(2)).

    On other systems a child ends when its socket is closed.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class Restraint:
    """The limits of this process, set anew for every request.

    Parameters
    ----------
    limits : DecodeLimits
        What no request may exceed.
    """

    def __init__(self, limits: DecodeLimits) -> None:
        self._seconds = limits.seconds
        # Opened before no file can be.
        self._statm = _open_statm()
        self._rest = self.data_bytes()
        self._ceiling = self._rest + limits.memory_bytes
        self.allowed_bytes = limits.memory_bytes
        """Memory that the request in hand may take."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        largest = _FLOAT_BYTES * MAX_FRAME_PIXELS
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
        resource.setrlimit(resource.RLIMIT_DATA, (self._ceiling, self._ceiling))
        _first_to_be_killed()
        # No file, socket or pipe can be opened from here on; those that are open go on working.
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))

    def begin(self, memory_bytes: int) -> None:
        """Allow a request so much memory beyond what is in use, and its processor time."""
        self.allowed_bytes = memory_bytes
        allowed = min(self.data_bytes() + memory_bytes, self._ceiling)
        resource.setrlimit(resource.RLIMIT_DATA, (allowed, self._ceiling))
        end = math.ceil(time.process_time() + self._seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))

    def data_bytes(self) -> int:
        """Return the memory that counts against the limit; 0 where the system does not tell."""
        if self._statm is None:
            return 0
        fields = os.pread(self._statm, 256, 0).split()
        return int(fields[_DATA_FIELD]) * resource.getpagesize()

    @property
    def grown_bytes(self) -> int:
        """How much more memory is in use than at the start."""
        return self.data_bytes() - self._rest


def _open_statm() -> int | None:
    try:
        return os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:
        return None


def _first_to_be_killed() -> None:
    """Have the kernel, when the machine's memory is used up, kill this process and not the product's."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
