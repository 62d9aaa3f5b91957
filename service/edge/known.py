"""What is known of keys and addresses, in this process alone or in all that share a file."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from service.edge.in_hand import InHand
from service.edge.remembered import OwnMemory, Remembered
from service.edge.shared_memory import SharedFile, make_shared_file

_COMMON = 4
"""Tables that all processes write to; behind them each has one of its own."""


@dataclass(frozen=True, slots=True)
class Known:
    """What limits go by.

    Parameters
    ----------
    keys, addresses, failures : Remembered
        Buckets of requests by key, of requests by address, of wrong keys by address.
    worked : Remembered
        Keys and logins that have worked.
    in_hand : InHand
        Requests by key.
    """

    keys: Remembered
    addresses: Remembered
    failures: Remembered
    worked: Remembered
    in_hand: InHand


def own_memory(clock: Callable[[], float] = time.monotonic) -> Known:
    """Return what is known in this process alone."""
    return Known(OwnMemory(), OwnMemory(), OwnMemory(), OwnMemory(), InHand(clock))


def make_file(path: Path, processes: int) -> None:
    """Make the file that so many processes share."""
    make_shared_file(path, _COMMON + processes)


def shared_memory(
    path: Path, number: int, processes: int, clock: Callable[[], float] = time.monotonic
) -> Known:
    """Return what is known in all processes that share a file.

    Parameters
    ----------
    path : Path
        As :func:`make_file` made it.
    number : int
        Of this process, from 0: what one before it has left is forgotten.
    processes : int
        How many there are.
    clock : callable
        Returns seconds that only grow, the same in all processes.
    """
    file = SharedFile(path)
    keys, addresses, failures, worked = (file.table(table) for table in range(_COMMON))
    own, *others = (file.table(_COMMON + (number + step) % processes) for step in range(processes))
    own.clear()
    return Known(keys, addresses, failures, worked, InHand(clock, own, others))
