"""A deadline that moves with the bytes: a grace, and the time that so many bytes may take."""

from __future__ import annotations

import asyncio


class Pace:
    """How long a transfer may take.

    Parameters
    ----------
    grace_s : float
        Time in which nothing need move.
    bytes_per_s : int
        The slowest rate after that. A transfer of n bytes takes ``grace_s + n / bytes_per_s`` at most.
    """

    def __init__(self, grace_s: float, bytes_per_s: int) -> None:
        self._end = asyncio.get_running_loop().time() + grace_s
        self._bytes_per_s = bytes_per_s
        self._bytes = 0

    def moved(self, count: int) -> None:
        """Note that bytes have come, or gone."""
        self._bytes += count

    @property
    def deadline(self) -> float:
        """When the next bytes must have moved, in the event loop's time."""
        return self._end + self._bytes / self._bytes_per_s
