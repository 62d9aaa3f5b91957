"""Pictures of a query and of its hits, from the archive of this machine or from a server."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hmar.client.client import Client
from hmar.image.raster import render
from hmar.values.frames import Frame
from hmar.values.hits import Hit
from hmar.wiring import Engine

Grey = NDArray[np.uint8]


class Pictures(Protocol):
    """Shows frames in grey, and says how many there are to be found."""

    @property
    def frames(self) -> int:
        """Number of indexed frames."""

    def query(self) -> Grey:
        """Return what was searched with."""

    def hit(self, hit: Hit) -> Grey:
        """Return a hit; raises HmarError if it cannot be shown."""


@dataclass(frozen=True, slots=True)
class PicturesHere:
    """Of the archive of this machine."""

    engine: Engine
    frame: Frame

    @property
    def frames(self) -> int:
        """Number of indexed frames."""
        return self.engine.index.stats().frames

    def query(self) -> Grey:
        """Return what was searched with."""
        return render(self.frame)

    def hit(self, hit: Hit) -> Grey:
        """Return a hit; raises HmarError if it cannot be shown."""
        return render(self.engine.frame(hit.entry))


@dataclass(frozen=True, slots=True)
class PicturesThere:
    """Of a server."""

    client: Client
    file: Path
    frame_number: int

    @property
    def frames(self) -> int:
        """Number of indexed frames that the key sees."""
        return sum(series.frames for series in self.client.series())

    def query(self) -> Grey:
        """Return what was searched with."""
        return _grey(self.client.render(self.file, frame_number=self.frame_number))

    def hit(self, hit: Hit) -> Grey:
        """Return a hit; raises HmarError if it cannot be shown."""
        return _grey(self.client.picture(hit))


def _grey(png: bytes) -> Grey:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"))
