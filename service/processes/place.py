"""The place of one web process among those that share an address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from service.edge.listening import Inherited

LIMITS_FILE = "limits"
"""In the folder that the processes share: see :mod:`service.edge.known`."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a process is told by its parent.

    Parameters
    ----------
    number : int
        From 0.
    processes : int
        How many there are.
    folder : Path
        What they share, besides the archive.
    descriptors : tuple of int
        Sockets that listen.
    """

    number: int
    processes: int
    folder: Path
    descriptors: tuple[int, ...]

    @property
    def arguments(self) -> list[str]:
        """The command line that tells it."""
        numbers = (self.number, self.processes, *self.descriptors)
        return [str(self.folder), *map(str, numbers)]

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Place:
        """Return what a command line tells."""
        folder, *texts = arguments
        number, processes, *descriptors = map(int, texts)
        return cls(number, processes, Path(folder), tuple(descriptors))

    @property
    def limits_file(self) -> Path:
        """File of what is known of keys and addresses."""
        return self.folder / LIMITS_FILE

    def sockets(self) -> list[Inherited]:
        """Return the sockets that listen; decoders do not inherit them."""
        sockets = [Inherited(fileno=descriptor) for descriptor in self.descriptors]
        for one in sockets:
            one.set_inheritable(False)
        return sockets
