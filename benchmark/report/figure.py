"""matplotlib figures in the page's style, and the elements that its plots are made of."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from matplotlib import rc_context, rcdefaults, rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

WIDTH = 860
"""Of every figure, in CSS pixels: a unit of the SVG is a pixel, and a point of matplotlib's."""

THEME = {
    "paper": ("#ffffff", "#15171b"),
    "ink": ("#1b1d21", "#e8e9ec"),
    "soft": ("#5a5e66", "#a4a8b0"),
    "faint": ("#9aa0a9", "#6d727b"),
    "rule": ("#dcdfe4", "#363a42"),
    "band": ("#f5f6f8", "#1d2026"),
    "warn": ("#8a4b00", "#ffc46b"),
    "warn-paper": ("#fff2dc", "#3a2a10"),
    # Light: dark enough for text on white; dark: light enough for text on near-black. One hue each.
    "c0": ("#1a56b0", "#7fb2ff"),
    "c1": ("#b3470a", "#ff9e5e"),
    "c2": ("#12784a", "#5fd39a"),
    "c3": ("#a3226e", "#f58cc4"),
    "c4": ("#7a5a00", "#e0bf4a"),
    "c5": ("#5b3fb5", "#b9a3ff"),
    "c6": ("#0d6f80", "#5ccfe0"),
    "c7": ("#7c5c52", "#d3ada2"),
}
"""The page's colours by name, in light and in dark. Figures are drawn in the light ones."""

PAPER, INK, SOFT, FAINT, RULE = (THEME[name][0] for name in ("paper", "ink", "soft", "faint", "rule"))
COLOURS = tuple(light for name, (light, _) in THEME.items() if re.fullmatch("c[0-9]", name))

_STYLE: dict[Any, object] = {
    "axes.edgecolor": RULE,
    "axes.grid": True,
    "axes.labelcolor": SOFT,
    "axes.labelsize": 12,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "font.size": 12,
    "grid.color": RULE,
    "legend.frameon": False,
    "legend.fontsize": 12,
    "legend.labelcolor": INK,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,  # a name with dollar signs is a name
    "xtick.labelcolor": SOFT,
    "xtick.major.pad": 6,
    "xtick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.labelcolor": SOFT,
    "ytick.major.pad": 7,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
}
TIP = "tip:"
"""What the name of an artist begins with that says something where a mouse rests on it."""

_CONTROL = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
"""What XML cannot hold."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure of the page.

    Parameters
    ----------
    title : str
        With the protocol's mark behind it.
    note : str
        How to read it.
    svg : str
        An ``svg`` element; every value in it is escaped.
    """

    title: str
    note: str
    svg: str


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the page's style while this lasts; also a decorator."""
    with warnings.catch_warnings(), rc_context():
        rcdefaults()  # and not what a user set for plots of their own
        rcParams.update(_STYLE)
        # Text stays text: a letter that matplotlib's font lacks is drawn by the reader's.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield


def canvas(height: float) -> Figure:
    """Return an empty figure of WIDTH x ``height`` pixels that pyplot knows nothing of."""
    return Figure(figsize=(WIDTH / 72, height / 72))


def axes_at(figure: Figure, left: float, top: float, right: float, bottom: float) -> Axes:
    """Add axes between these distances, in pixels, from the left, upper, left and upper edge."""
    height = figure.get_figheight() * 72
    return figure.add_axes(
        (left / WIDTH, 1 - bottom / height, (right - left) / WIDTH, (bottom - top) / height),
        axisbelow=True,
    )


def point(axes: Axes, x: float, y: float, colour: str, tip: str, marker: str = "o", **more: Any) -> None:
    """Draw a point that says ``tip`` where a mouse rests on it; ``more`` goes to matplotlib's plot."""
    style: dict[str, Any] = {"markersize": 7.0, "markeredgewidth": 1.5, "zorder": 4.0, **more}
    axes.plot([x], [y], marker, color=colour, gid=TIP + plain(tip), **style)


def line(axes: Axes, xs: list[float], ys: list[float], tip: str, **style: Any) -> None:
    """Draw a line that says ``tip``."""
    axes.plot(xs, ys, gid=TIP + plain(tip), **style)


def key(colour: str, marker: str = "o", face: str | None = None, width: float = 0.0) -> Line2D:
    """Return a sample for a legend: a marker, or a line where ``width`` is given."""
    if width:
        return Line2D([], [], color=colour, linewidth=width)
    return Line2D(
        *([], []), color=colour, marker=marker, linestyle="none", markersize=7, markeredgewidth=1.5,
        markerfacecolor=face or colour,
    )  # fmt: skip


def plain(text: str, length: int = 200) -> str:
    """Return a text on one line, cut to a length, without what XML cannot hold."""
    words = " ".join(_CONTROL.sub("", text).split())
    return words if len(words) <= length else f"{words[: length - 1]}…"
