"""How long to wait for the other end: a grace, and the time that the bytes that moved may take."""

from __future__ import annotations


class Pace:
    """The patience that is left with a transfer.

    Only waiting for the other end counts, so that the pauses of a stream, and a slow disk of ours, do not.

    Parameters
    ----------
    grace_s : float
        Time in which nothing need move.
    bytes_per_s : int
        The slowest rate after that: for n bytes, ``grace_s + n / bytes_per_s`` is waited at most.
    """

    def __init__(self, grace_s: float, bytes_per_s: int) -> None:
        self._left_s = grace_s
        self._bytes_per_s = bytes_per_s

    @property
    def left_s(self) -> float:
        """How long to wait for the next bytes, in seconds."""
        return max(0.0, self._left_s)

    def waited(self, seconds: float, moved: int) -> None:
        """Note that so many bytes moved, and how long that was waited for."""
        self._left_s += moved / self._bytes_per_s - seconds
