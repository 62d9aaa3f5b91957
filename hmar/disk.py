"""Room on the disk: whether there is enough to go on, and what a write that failed becomes."""

from __future__ import annotations

import errno
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hmar.errors import DiskFullError, OperatorError, UnavailableError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says when there is no room: on the disk, in a quota, or below a limit of the process."""
TRIAL_BYTES = 1 << 16
TRIAL_S = 2.0
"""A trial is not repeated for so long: /readyz needs no key."""
REMEDY = "Free some space in HMAR_HOME; what waits goes on by itself then."


class Disk:
    """The disk of some folders. Thread-safe.

    Parameters
    ----------
    folders : sequence of Path
        What is written lies in them. None at all: nothing is written, and there is always room.
    least_bytes : int
        Less free space than this counts as none.
    clock : callable
        Returns seconds that only grow.
    """

    def __init__(
        self, folders: Sequence[Path], least_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folders = folders
        self._least_bytes = least_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._tried_at: float | None = None

    def check(self) -> None:
        """Raise DiskFullError without room, UnavailableError where nothing can be written for another reason.

        What free space does not tell (quotas, a disk that turned read-only) is found by writing.
        """
        with self._lock:
            for folder in self._folders:
                with writing("HMAR_HOME"):
                    self._check_space(folder)
            if self._tried_at is None or self._clock() - self._tried_at >= TRIAL_S:
                for folder in self._folders:
                    with writing("HMAR_HOME"):
                        _try(folder)
                self._tried_at = self._clock()

    def free_bytes(self) -> int | None:
        """Return the free space of the fullest of the disks; None where nothing is written.

        Raises UnavailableError where it cannot be told.
        """
        with writing("HMAR_HOME"):
            return min(map(free_bytes, self._folders), default=None)

    def _check_space(self, folder: Path) -> None:
        if free_bytes(folder) < self._least_bytes:
            # Not how much: the same trouble has the same text, which is logged once a minute.
            raise DiskFullError(f"The disk has less than {self._least_bytes >> 20} MiB free.", REMEDY)


def free_bytes(folder: Path) -> int:
    """Return the free space of a folder's disk, as far as this user may take it; raises OSError."""
    system = os.statvfs(folder)
    return system.f_bavail * system.f_frsize


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Turn an OSError into the error that an operator understands.

    Parameters
    ----------
    what : str
        What is written, as the message names it.
    """
    try:
        yield
    except OSError as error:
        raise write_error(what, error) from error


def write_error(what: str, error: OSError) -> OperatorError:
    """Return the error of a write that failed."""
    if error.errno in FULL:
        return DiskFullError(f"{what} cannot be written: the disk is full.", REMEDY)
    return UnavailableError(
        f"{what} cannot be written ({error.strerror}).", "Check HMAR_HOME, its permissions and its disk."
    )


def _try(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(TRIAL_BYTES))
