"""The archive that is planned, and the machine that can be had."""

from __future__ import annotations

from dataclasses import dataclass

from hmar.errors import ParameterError


@dataclass(frozen=True, slots=True)
class Wanted:
    """The archive that is planned.

    Parameters
    ----------
    frames : int
        From 1; all slices of all series.
    windows : int or None
        Windows of a frame; None takes what the shipped model gives of body CT.
    queries_per_s : float
        Region queries a second in busy hours, from 0.
    threads : int
        Threads of one search (HMAR_SCAN_THREADS).
    cores : int
        Cores that index.
    memory_gib : float
        Memory of the largest machine that can be had.
    patience_s : float
        The longest that a search may take.
    fast_above : int
        Windows from which searches are fast without being asked to (HMAR_FAST_ABOVE); 0 for never.
    """

    frames: int
    windows: int | None = None
    queries_per_s: float = 1.0
    threads: int = 2
    cores: int = 2
    memory_gib: float = 256.0
    patience_s: float = 2.0
    fast_above: int = 0

    def __post_init__(self) -> None:
        for name in ("frames", "threads", "cores"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} is {getattr(self, name)}.", "Give 1 or more.")
        if self.windows is not None and self.windows < 1:
            raise ParameterError(f"windows is {self.windows}.", 'Give 1 or more, or "auto".')
        if not self.queries_per_s >= 0:
            raise ParameterError(f"qps is {self.queries_per_s}.", "Give 0 or more.")
        if self.fast_above < 0:
            raise ParameterError(f"fast_above is {self.fast_above}.", "Give 0 or more.")
