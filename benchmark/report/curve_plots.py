"""Precision against recall, over all ranks."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from benchmark.report.figure import FAINT, WIDTH, Plot, axes_at, canvas, house_style, key, line, plain
from benchmark.report.labels import Row, marked, numbers
from benchmark.report.peers import OURS, Colours, best_values, length_name, length_of
from benchmark.report.svg import svg
from benchmark.report.tables import Group, peer_name

_LEFT, _GAP, _ABOVE, _BELOW = 56, 36, 26, 48
_NAME = 20
"""Characters of a name in the legend."""


@house_style()
def curve_plot(group: Group, colours: Colours) -> Plot | None:
    """Plot precision against recall, side by side for each length; rows without bits stand in all.

    Returns
    -------
    Plot or None
        None where no row has a curve.
    """
    rows = [row for row in group.rows if _curve(row.get("pr_curve"))]
    if not rows:
        return None
    lengths = sorted({bits for row in rows if (bits := length_of(row))}) or [0.0]
    columns = min(2, len(lengths))
    side = 276 if columns == 2 else 380
    height = _ABOVE + side + _BELOW
    figure = canvas(ceil(len(lengths) / columns) * height)
    for place, length in enumerate(lengths):
        row_number, column = divmod(place, columns)
        x, y = _LEFT + column * (side + _GAP), _ABOVE + row_number * height
        axes = axes_at(figure, x, y, x + side, y + side)
        axes.set_title(length_name(length))
        for row in rows:
            if length_of(row) in (0.0, length):
                _draw_curve(axes, row, colours)
        _unit_square(axes, labelled=column == 0)
    samples, names = _curve_legend(rows, colours)
    beside = axes_at(figure, _LEFT + columns * (side + _GAP), _ABOVE, WIDTH, _ABOVE + side)
    beside.set_axis_off()
    beside.legend(samples, names, loc="upper left", borderaxespad=0, borderpad=0)
    title = marked("Precision against recall", group.protocol)
    note = "Mean over queries; the list goes by macro mAP. A line says its name where the mouse rests on it."
    return Plot(title, note, svg(figure, title))


def _curve(value: object) -> list[tuple[float, float]]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    pairs = [numbers(pair) for pair in value]
    return [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]


def _draw_curve(axes: Axes, row: Row, colours: Colours) -> None:
    name = str(row.get("name"))
    colour = colours[name]
    points = _curve(row.get("pr_curve"))
    width, height = (2.6, 4) if name == OURS else (0.9, 2) if colour == FAINT else (1.6, 3)
    style = {"color": colour, "linewidth": width, "zorder": height}
    line(axes, [recall for recall, _ in points], [p for _, p in points], peer_name(row), **style)


def _unit_square(axes: Axes, labelled: bool) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="recall")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MultipleLocator(0.2))
    if labelled:
        axes.set_ylabel("precision")
    else:
        axes.tick_params(labelleft=False)


def _curve_legend(rows: Sequence[Row], colours: Colours) -> tuple[list[Line2D], list[str]]:
    best = best_values(rows)
    named = sorted((name for name in best if colours[name] != FAINT), key=lambda name: -best[name])
    samples = [key(colours[name], width=2.6 if name == OURS else 1.6) for name in named]
    labels = [plain(name, _NAME) for name in named]
    others = len(best) - len(named)
    if others:
        samples.append(key(FAINT, width=0.9))
        labels.append(f"{others} others")
    return samples, labels
