"""Queries with their first hits, right and wrong marked, as PNG."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.report.labels import marked
from hmar.image.montage import GREEN, RED, YELLOW, Panel
from hmar.image.montage import montage as sheet
from hmar.values.geometry import Box

SIDE = 150
HITS_SHOWN = 8


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One image of a montage.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (rows, columns)
        Grey values as shown.
    caption : str
        Its class, say.
    box : Box or None
        Drawn over it, in pixels of the image.
    """

    pixels: NDArray[np.uint8]
    caption: str
    box: Box | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A hit, and whether it is relevant."""

    picture: Picture
    right: bool


@dataclass(frozen=True, slots=True, eq=False)
class Montage:
    """A query and its first hits, nearest first.

    Parameters
    ----------
    title : str
        Which peer, at which bits.
    query : Picture
    hits : tuple of Shown
        The first ``HITS_SHOWN`` are drawn.
    protocol : str
        Under which the gallery was made.
    """

    title: str
    query: Picture
    hits: tuple[Shown, ...]
    protocol: str = "clean"

    @property
    def heading(self) -> str:
        """The title with the protocol's mark."""
        return marked(self.title, self.protocol)

    @property
    def description(self) -> str:
        """What is to be seen, in words."""
        hits = [
            f"{rank} {hit.picture.caption} ({'right' if hit.right else 'wrong'})"
            for rank, hit in enumerate(self.hits[:HITS_SHOWN], start=1)
        ]
        return f"{self.heading}. Query: {self.query.caption}. Hits: {'; '.join(hits) or 'none'}."


def draw(montage: Montage) -> bytes:
    """Draw the query at the left and its hits beside it.

    Right and wrong are shown by the colour of the edge, by a tick or a cross, and in words.

    Returns
    -------
    bytes
        A PNG file.
    """
    panels = [Panel(montage.query.pixels, "query", montage.query.caption, YELLOW, montage.query.box)]
    for rank, hit in enumerate(montage.hits[:HITS_SHOWN], start=1):
        head = f"{rank}. {'right' if hit.right else 'wrong'}"
        colour = GREEN if hit.right else RED
        panels.append(
            Panel(hit.picture.pixels, head, hit.picture.caption, colour, hit.picture.box, hit.right)
        )
    buffer = io.BytesIO()
    sheet(panels, len(panels), SIDE, montage.heading).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
