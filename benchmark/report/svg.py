"""The elements that plots are made of: text, colours, room for labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH = 860
LEFT, RIGHT, TOP, BOTTOM = 62, 250, 60, 52
COLOURS = 8
_DASHES = ("", "7 4", "2 3")
Styles = Mapping[str, tuple[int, str]]
"""Number of the colour and dash pattern of each name."""


def styles(names: Sequence[str]) -> Styles:
    """Give each name a colour and a dash pattern that it keeps in every plot."""
    distinct = dict.fromkeys(names)
    return {
        name: (position % COLOURS, _DASHES[position // COLOURS % len(_DASHES)])
        for position, name in enumerate(distinct)
    }


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move labels apart along an axis.

    Parameters
    ----------
    wanted : sequence of float
        Where each label would be.
    gap : float
        Least distance between two; less where there is no room.
    low, high : float
        No label lies outside.

    Returns
    -------
    list of float
        In the order given; labels keep their order along the axis.
    """
    order = sorted(range(len(wanted)), key=lambda position: wanted[position])
    room = min(gap, (high - low) / max(len(wanted) - 1, 1))
    placed: list[float] = []
    for position in order:
        least = placed[-1] + room if placed else low
        placed.append(max(wanted[position], least))
    ceiling = high
    for rank in reversed(range(len(placed))):
        placed[rank] = min(placed[rank], ceiling)
        ceiling = placed[rank] - room
    at = dict(zip(order, placed, strict=True))
    return [at[position] for position in range(len(wanted))]


def shortened(words: str, length: int) -> str:
    """Cut a text to a number of characters."""
    return words if len(words) <= length else f"{words[: length - 1]}…"


def text(x: float, y: float, words: str, kind: str) -> str:
    """Return a text element of the classes ``kind``; the words are escaped."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def svg(title: str, height: float, parts: Sequence[str]) -> str:
    """Return the whole picture, named for those who do not see it."""
    return (
        f'<svg role="img" viewBox="0 0 {WIDTH} {height}" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )
