"""Plots of time: ratios to peers, and how it grows with the archive."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from benchmark.report.figure import (
    COLOURS,
    INK,
    PAPER,
    SOFT,
    WIDTH,
    Plot,
    axes_at,
    canvas,
    house_style,
    line,
    plain,
    point,
)
from benchmark.report.labels import Row, interval, number, shown
from benchmark.report.svg import svg

_LEFT, _RIGHT, _TOP, _BOTTOM, _PITCH = 440, WIDTH - 70, 8, 44, 34
_NAME, _PEER = 62, 84
"""Characters that fit beside the axes."""
_SERIES = (
    ("hmar", "p50_ms", COLOURS[0]),
    ("FAISS flat", "faiss_p50_ms", COLOURS[1]),
    ("exact search", "exact_p50_ms", COLOURS[1]),
)


@house_style()
def ratio_plot(part: str, rows: Sequence[Row]) -> Plot | None:
    """Plot how many times our time the peers need, with intervals, on a logarithmic axis.

    Returns
    -------
    Plot or None
        None where no row has a ratio above 0.
    """
    found = [(row, value) for row in rows if (value := number(row.get("ratio"))) is not None and value > 0]
    if not found:
        return None
    figure = canvas(_TOP + _PITCH * len(found) + _BOTTOM)
    axes = axes_at(figure, _LEFT, _TOP, _RIGHT, _TOP + _PITCH * len(found))
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_yticks(range(len(found)), [""] * len(found))
    axes.spines["left"].set_visible(False)
    axes.grid(axis="y", linewidth=0.5)
    axes.set_xscale("log")
    axes.axvline(1, color=SOFT, linewidth=1.2)
    for place, (row, value) in enumerate(found):
        _ratio(axes, place, row, value)
    ends = [
        end for row, value in found for end in (value, *(interval(row.get("ratio_ci95")) or ())) if end > 0
    ]
    axes.set_xlim(min(0.8, min(ends) / 1.2), max(1.25, max(ends) * 1.2))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("the peer's time divided by ours")
    title = f"Speed-up over the peer, {part}"
    note = "Right of the line at 1 ours is faster. Lines are 95 % intervals over the rounds."
    return Plot(title, note, svg(figure, title))


def _ratio(axes: Axes, place: int, row: Row, value: float) -> None:
    colour = COLOURS[0] if value >= 1 else COLOURS[1]
    name, peer = plain(str(row.get("name")), _NAME), _peer(row)
    left = axes.get_yaxis_transform()
    axes.text(-0.02, place - 0.04, name, transform=left, ha="right", va="bottom", fontsize=11)
    axes.text(
        *(-0.02, place + 0.04), plain(peer, _PEER), transform=left, ha="right", va="top",
        color=SOFT, fontsize=10,
    )  # fmt: skip
    axes.text(1.02, place, shown(value), transform=left, va="center", color=INK)
    ends = interval(row.get("ratio_ci95"))
    tip = f"{row.get('name')}, {peer}, {row.get('setting')}: {value:.3f}"
    if ends is not None and min(ends) > 0:
        axes.hlines(place, *ends, color=colour, linewidth=1.6, alpha=0.6, zorder=3)
        tip += f" ({ends[0]:.3f} to {ends[1]:.3f})"
    point(axes, value, place, colour, tip)


def _peer(row: Row) -> str:
    """Say beside what a row was timed, first what tells rows of the same name apart."""
    counted = [(number(row.get(key)), word) for key, word in (("bits", "bit"), ("threads", "thread"))]
    parts = [f"{count:.0f} {word}{'s' if count > 1 else ''}" for count, word in counted if count]
    return "; ".join(part for part in (", ".join(parts), f"beside {row.get('peer')}") if part)


@house_style()
def growth_plot(rows: Sequence[Row]) -> Plot | None:
    """Plot time against frames, side by side for each name; both axes are logarithmic.

    Returns
    -------
    Plot or None
        None where nothing of the protocol "growth" is there.
    """
    named: dict[str, list[Row]] = {}
    for found in rows:
        if found.get("protocol") == "growth" and _positive(found, "frames") and _positive(found, "p50_ms"):
            named.setdefault(str(found.get("name")), []).append(found)
    if not named:
        return None
    left, gap, side, above, below = 74, 100, 290, 30, 52
    height = above + side + below
    figure = canvas(ceil(len(named) / 2) * height)
    panels = []
    for place, (name, members) in enumerate(named.items()):
        row, column = divmod(place, 2)
        x, y = left + column * (side + gap), above + row * height
        axes = axes_at(figure, x, y, x + side, y + side)
        axes.set_title(plain(name, 50))
        _growth(axes, sorted(members, key=lambda row: _positive(row, "frames")))
        panels.append(axes)
    for axes in panels:
        axes.sharex(panels[0])
        axes.sharey(panels[0])
    panels[0].autoscale()
    panels[0].set_ylabel("time of a query, median")
    title = "Time by size of the archive"
    note = "Both axes are logarithmic. Hollow points and dashed lines are projected, not measured."
    return Plot(title, note, svg(figure, title))


def _growth(axes: Axes, rows: Sequence[Row]) -> None:
    axes.set(xscale="log", yscale="log", xlabel="frames")
    axes.xaxis.set_major_formatter(EngFormatter())
    axes.yaxis.set_major_formatter(EngFormatter(unit="s"))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    drawn = [
        (label, key, colour) for label, key, colour in _SERIES if any(_positive(row, key) for row in rows)
    ]
    last = {label: [value for row in rows if (value := _positive(row, key))][-1] for label, key, _ in drawn}
    for label, key, colour in drawn:
        own = [row for row in rows if _positive(row, key)]
        points = [(_positive(row, "frames"), _positive(row, key) / 1000) for row in own]
        measured = [row.get("how") != "projected" for row in own]
        for begin, end, sure in zip(points, points[1:], measured[1:], strict=False):
            xs, ys = zip(begin, end, strict=True)
            line(axes, list(xs), list(ys), label, color=colour, linestyle="-" if sure else (0, (4, 3)))
        for (x, y), sure in zip(points, measured, strict=True):
            tip = f"{label}, {x:.0f} frames: {1000 * y:.4g} ms{'' if sure else ', projected'}"
            point(axes, x, y, colour, tip, markerfacecolor=colour if sure else PAPER)
        # Lines are named behind their ends, the upper one a little higher, so that no name covers another.
        shift = 4 if last[label] == max(last.values()) else -4
        axes.annotate(
            *(label, points[-1]), xytext=(10, shift), textcoords="offset points", color=colour,
            va="center", fontweight="bold" if label == "hmar" else "normal",
        )  # fmt: skip


def _positive(row: Row, key: str) -> float:
    """Return a number above 0, else 0."""
    value = number(row.get(key))
    return value if value is not None and value > 0 else 0.0
