"""Plots of how much is found, by peer and length of code, and by class."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from benchmark.report.figure import (
    COLOURS,
    FAINT,
    INK,
    PAPER,
    SOFT,
    WIDTH,
    Plot,
    axes_at,
    canvas,
    house_style,
    key,
    plain,
    point,
)
from benchmark.report.labels import Row, interval, marked, number
from benchmark.report.peers import (
    FIRST,
    NAME,
    OURS,
    Colours,
    length_name,
    length_of,
    star_note,
    starred,
    value_of,
)
from benchmark.report.svg import svg
from benchmark.report.tables import Group, peer_name, per_class

CLASS_PEERS = 4
"""Peers whose AP by class is drawn; the table has all."""

LEFT, RIGHT, TOP, BOTTOM = 200, WIDTH - 70, 34, 44
"""Edges of plots with names at their left; the last two are heights of what is above and below."""

_SHORTER = "os^v"
"""Hollow markers of codes shorter than the longest, in descending order."""

_DEEP = 9
"""Pixels from one length of code to the next."""


@house_style()
def bits_plot(group: Group) -> Plot | None:
    """Plot macro mAP with its interval, a line for each peer and a marker for each length of code.

    Returns
    -------
    Plot or None
        None where no row has a mAP.
    """
    rows = [row for row in group.rows if number(row.get("macro_map")) is not None]
    if not rows:
        return None
    by_name: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (-length_of(row), -value_of(row))):
        by_name.setdefault(str(row.get("name")), []).append(row)
    names = sorted(by_name, key=lambda name: -value_of(by_name[name][0]))
    lengths = sorted({length_of(row) for row in rows}, reverse=True)
    pitch = 8 + _DEEP * max(map(len, by_name.values()))
    figure = canvas(TOP + pitch * len(names) + BOTTOM)
    axes = _named_axes(figure, names, [starred(name, by_name[name]) for name in names], pitch)
    for place, name in enumerate(names):
        own = by_name[name]
        colour = COLOURS[0] if name == OURS else INK
        for position, row in enumerate(own):
            offset = (position - (len(own) - 1) / 2) * _DEEP / pitch
            _interval(axes, row, place + offset, colour, lengths)
        axes.text(
            *(1.015, place), f"{value_of(own[0]):.3f}", transform=axes.get_yaxis_transform(), va="center",
            color=colour, fontweight="bold" if name == OURS else "normal",
        )  # fmt: skip
    _from_zero(axes, [end for row in rows for end in (value_of(row), *(interval(row.get("ci95")) or ()))])
    axes.set_xlabel("macro mAP")
    samples = [key(SOFT, marker, SOFT if filled else PAPER) for marker, filled in _markers(lengths)]
    _strip(figure, samples, [length_name(length) for length in lengths])
    note = "Lines are 95 % intervals; the figure at the right is a peer's at its longest code."
    title = marked("Macro mAP by peer and length of code", group.protocol)
    return Plot(title, note + star_note(rows), svg(figure, title))


@house_style()
def class_plot(group: Group, colours: Colours) -> Plot | None:
    """Plot AP by class at the longest codes: ours, linear, and the best others up to CLASS_PEERS.

    Returns
    -------
    Plot or None
        None where no row has APs by class.
    """
    rows = [row for row in group.rows if per_class(row)]
    if not rows:
        return None
    longest = max(length_of(row) for row in rows)
    rows = [row for row in rows if (length_of(row) or longest) == longest]
    chosen = sorted(rows, key=lambda row: (str(row.get("name")) not in FIRST, -value_of(row)))[:CLASS_PEERS]
    found = {peer_name(row): per_class(row) for row in chosen}
    first = next(iter(found.values()))
    classes = sorted(
        {label for by_class in found.values() for label in by_class},
        key=lambda label: (-first.get(label, -1.0), label),
    )
    figure = canvas(TOP + 20 * len(classes) + BOTTOM)
    axes = _named_axes(figure, [], [plain(label, NAME) for label in classes], 20)
    for place, label in enumerate(classes):
        values = [by_class[label] for by_class in found.values() if label in by_class]
        axes.hlines(place, min(values), max(values), color=FAINT, linewidth=1.5, zorder=2)
    for position, row in enumerate(chosen):
        colour = colours[str(row.get("name"))]
        for place, label in enumerate(classes):
            if (value := per_class(row).get(label)) is not None:
                tip = f"{peer_name(row)}, {label}: {value:.3f}"
                point(axes, value, place, colour, tip, zorder=5.0 - position / 10)
    _from_zero(axes, [value for by_class in found.values() for value in by_class.values()])
    axes.set_xlabel("AP, mean over the queries of the class")
    samples = [key(colours[str(row.get("name"))]) for row in chosen]
    _strip(figure, samples, [starred(str(row.get("name")), [row]) for row in chosen])
    count = f"{len(chosen)} of {len(rows)} peers"
    title = marked(f"AP by class, {length_name(longest)}", group.protocol)
    note = f"{count}, classes by the AP of the first. The table below has all."
    return Plot(title, note + star_note(chosen), svg(figure, title))


def _markers(lengths: Sequence[float]) -> list[tuple[str, bool]]:
    """Return marker and fill of lengths in descending order: the longest code is a filled disc."""
    shorter = [(_SHORTER[rank % len(_SHORTER)], False) for rank in range(len(lengths) - 1)]
    return [
        ("D", True) if not length else found
        for length, found in zip(lengths, [("o", True), *shorter], strict=True)
    ]


def _interval(axes: Axes, row: Row, y: float, colour: str, lengths: Sequence[float]) -> None:
    value, ends = value_of(row), interval(row.get("ci95"))
    marker, filled = _markers(lengths)[lengths.index(length_of(row))]
    tip = f"{peer_name(row)}: {value:.3f}"
    if ends is not None:
        axes.hlines(y, *ends, color=colour, linewidth=1.4, alpha=0.6, zorder=3)
        tip += f" ({ends[0]:.3f} to {ends[1]:.3f})"
    face = colour if filled else PAPER
    point(axes, value, y, colour, tip, marker, markerfacecolor=face, markersize=6.0)


def _named_axes(figure: Figure, strong: Sequence[str], names: Sequence[str], pitch: float) -> Axes:
    """Return axes with names at the left, the first at the top."""
    axes = axes_at(figure, LEFT, TOP, RIGHT, TOP + pitch * len(names))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", labelcolor=INK, pad=8)
    axes.grid(axis="y", linewidth=0.5)
    axes.spines["left"].set_visible(False)
    for label, name in zip(axes.get_yticklabels(), strong, strict=False):
        if name == OURS:
            label.set(color=COLOURS[0], fontweight="bold")
    return axes


def _from_zero(axes: Axes, values: Sequence[float]) -> None:
    """Let the axis end on the tick above the largest value, and begin at 0."""
    high = max(*values, 0.01)
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, high) if high / step <= 8)
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.set_xlim(0, -(-round(high / step, 6) // 1) * step)


def _strip(figure: Figure, samples: Sequence[Line2D], names: Sequence[str]) -> None:
    """Add a legend in one line above the axes."""
    figure.legend(
        samples, names, loc="upper left", bbox_to_anchor=(LEFT / WIDTH, 1), ncols=len(names),
        borderaxespad=0.2, handletextpad=0.2, columnspacing=1.6, borderpad=0.2,
    )  # fmt: skip
