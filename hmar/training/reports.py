"""The figures of steps, told in bunches where each look at them would make the processor wait for a GPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from hmar.training.stages import Stage

_AT_ONCE = {"cuda": 10}
"""Steps whose losses are read together, by device; elsewhere each is read at once, which costs nothing."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step's figures.

    ``losses`` are by name; ``validation`` is what was found, if it was run. ``wait_ms`` passed until the
    batch was there, and ``step_ms`` until the step was done, the wait included, validation left out. A GPU
    computes on meanwhile, so that only means over many steps tell how long it takes.
    """

    stage: Stage
    number: int
    total: int
    losses: dict[str, float]
    validation: float | None = None
    wait_ms: float = 0.0
    step_ms: float = 0.0


Report = Callable[[Step], None]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and the total."""


def unheard(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


class Reports:
    """Reports steps in their order, once their losses are read.

    Parameters
    ----------
    report : callable
    device : torch.device
        Where losses are computed.
    """

    def __init__(self, report: Report, device: torch.device) -> None:
        self._report, self._at_once = report, _AT_ONCE.get(device.type, 1)
        self._waiting: list[tuple[Step, dict[str, Tensor]]] = []

    def add(self, step: Step, losses: dict[str, Tensor]) -> None:
        """Take a step, its losses still on the device, and report it if it is time."""
        self._waiting.append((step, losses))
        if len(self._waiting) >= self._at_once:
            self.flush()

    def flush(self) -> None:
        """Report all steps that were taken."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        values = iter(torch.stack([loss for _, losses in waiting for loss in losses.values()]).tolist())
        for step, losses in waiting:
            self._report(replace(step, losses={name: next(values) for name in losses}))
