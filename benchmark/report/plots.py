"""Plots as SVG, written by hand: no library, no script, and the page's colours in light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmark.report.labels import Row, interval, marked, number, numbers
from benchmark.report.svg import BOTTOM, LEFT, RIGHT, TOP, WIDTH, Styles, shortened, spread, svg, text
from benchmark.report.tables import Group, peer_name, per_class

HEIGHT = 440
LABEL_GAP = 15.0
BARS_DRAWN = 4
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Area:
    """The rectangle that data is drawn in: its largest values, and where they lie on the page."""

    x_max: float
    y_max: float
    height: float = HEIGHT

    def at(self, x: float, y: float) -> Point:
        across = LEFT + (WIDTH - LEFT - RIGHT) * x / self.x_max
        return across, TOP + (self.height - TOP - BOTTOM) * (1 - y / self.y_max)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line with its name at its right end; whiskers are (x, low, high)."""

    name: str
    points: tuple[Point, ...]
    whiskers: tuple[tuple[float, float, float], ...] = ()
    markers: bool = False


def bits_plot(group: Group, drawn: Styles) -> str:
    """Plot macro mAP against bits with its intervals; peers without bits run through all of them.

    Returns
    -------
    str
        An ``svg`` element, or nothing where no row has a mAP.
    """
    rows = [row for row in group.rows if number(row.get("macro_map")) is not None]
    lengths = sorted({bits for row in rows if (bits := number(row.get("bits")))})
    if not rows:
        return ""
    places = {bits: place + 0.5 for place, bits in enumerate(lengths)}
    span = float(max(len(lengths), 1))
    by_name: dict[str, list[tuple[float, float, tuple[float, float] | None]]] = {}
    for row in rows:
        value, bits = number(row.get("macro_map")) or 0.0, number(row.get("bits"))
        across = [places[bits]] if bits else [0.0, span]
        for x in across:
            by_name.setdefault(str(row.get("name")), []).append((x, value, interval(row.get("ci95"))))
    lines = [
        _Line(
            name,
            tuple((_beside(x, position, len(by_name), span), y) for x, y, _ in found),
            tuple(
                (_beside(x, position, len(by_name), span), *pair) for x, _, pair in found if pair is not None
            ),
            markers=True,
        )
        for position, (name, found) in enumerate(by_name.items())
    ]
    values = [y for line in lines for _, y in line.points]
    highest = max(values + [high for line in lines for _, _, high in line.whiskers])
    area = _Area(span, _round_up(highest))
    ticks = [(place, f"{bits:.0f}") for bits, place in places.items()]
    title = marked("Macro mAP against bits", group.protocol)
    return _chart(title, "bits", "macro mAP", area, ticks, lines, drawn)


def _beside(x: float, position: int, count: int, span: float) -> float:
    """Shift a point a little, so that whiskers of one length of code do not lie on each other."""
    if x in (0.0, span):
        return x
    return x + 0.5 * ((position + 0.5) / count - 0.5)


def curve_plots(group: Group, drawn: Styles) -> list[str]:
    """Plot precision against recall, one plot for each length of code; rows without bits stand in all."""
    rows = [row for row in group.rows if _curve(row.get("pr_curve"))]
    lengths = sorted({bits for row in rows if (bits := number(row.get("bits")))}) or [0.0]
    plots = []
    for bits in lengths:
        lines = [
            _Line(str(row.get("name")), _curve(row.get("pr_curve")))
            for row in rows
            if (number(row.get("bits")) or bits) == bits
        ]
        ticks = [(value / 5, f"{value / 5:.1f}") for value in range(6)]
        title = marked(f"Precision against recall{f', {_length(bits)}' if bits else ''}", group.protocol)
        if lines:
            plots.append(_chart(title, "recall", "precision", _Area(1, 1), ticks, lines, drawn))
    return plots


def _curve(value: object) -> tuple[Point, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    pairs = [numbers(pair) for pair in value]
    return tuple((pair[0], pair[1]) for pair in pairs if len(pair) == 2)


def growth_plots(rows: Sequence[Row], drawn: Styles) -> list[str]:
    """Plot time against frames, one plot for each name; both axes count in tenfolds.

    What was projected stands at the right end of its line, and is named so below.
    """
    named: dict[str, list[Row]] = {}
    for row in rows:
        if row.get("protocol") == "growth" and number(row.get("frames")) and number(row.get("p50_ms")):
            named.setdefault(str(row.get("name")), []).append(row)
    return [_growth_plot(name, members, drawn) for name, members in named.items()]


def _growth_plot(name: str, rows: Sequence[Row], drawn: Styles) -> str:
    rows = sorted(rows, key=lambda row: number(row.get("frames")) or 0.0)
    frames = [number(row.get("frames")) or 0.0 for row in rows]
    least, span = math.log10(frames[0]), max(math.log10(frames[-1] / frames[0]), 0.1)
    lines = []
    for label, key in (("hmar", "p50_ms"), ("FAISS flat", "faiss_p50_ms")):
        # From a hundredth of a millisecond: an axis begins at 0.
        places = [
            (math.log10(count) - least, max(0.0, math.log10(value) + 2))
            for count, row in zip(frames, rows, strict=True)
            if (value := number(row.get(key)))
        ]
        if places:
            lines.append(_Line(label, tuple(places), markers=True))
    area = _Area(span, max(1.0, math.ceil(max(y for line in lines for _, y in line.points))))
    ticks = [
        (math.log10(count) - least, f"{count:.0f}{'*' if row.get('how') == 'projected' else ''}")
        for count, row in zip(frames, rows, strict=True)
    ]
    return _chart(
        f"Time by frames, {name}", "frames (* projected)", "log10 of 1/100 ms", area, ticks, lines, drawn
    )


def class_bars(group: Group, drawn: Styles) -> list[str]:
    """Draw AP by class for the longest codes: hmar, linear, and the best others up to ``BARS_DRAWN``."""
    rows = [row for row in group.rows if per_class(row)]
    if not rows:
        return []
    longest = max(number(row.get("bits")) or 0.0 for row in rows)
    rows = [row for row in rows if (number(row.get("bits")) or longest) == longest]
    chosen = sorted(rows, key=_bars_first)[:BARS_DRAWN]
    classes = sorted({label for row in chosen for label in per_class(row)})
    step = 11 * len(chosen) + 12
    height = TOP + 16 + max(step * len(classes), 20 * len(chosen))
    wide = WIDTH - RIGHT - 220
    title = marked(f"AP by class, {_length(longest)}, {len(chosen)} of {len(rows)} peers", group.protocol)
    parts = [text(LEFT, 24, title, "plot-title")]
    for place, label in enumerate(classes):
        top = TOP + step * place
        parts.append(text(210, top + step / 2 + 4, shortened(label, 32), "tick end"))
        for position, row in enumerate(chosen):
            value = per_class(row).get(label)
            if value is None:
                continue
            colour = drawn[str(row.get("name"))][0]
            y = top + 6 + 11 * position
            parts.append(
                f'<rect class="bar c{colour}" x="220" y="{y:.1f}" width="{wide * value:.1f}" height="9">'
                f"<title>{escape(peer_name(row))}, {escape(label)}: {value:.3f}</title></rect>"
            )
            parts.append(text(224 + wide * value, y + 8, f"{value:.2f}", "bar-value"))
    for position, row in enumerate(chosen):
        y = TOP + 16 + 20 * position
        colour = drawn[str(row.get("name"))][0]
        x = WIDTH - RIGHT + 50
        parts.append(f'<rect class="bar c{colour}" x="{x}" y="{y - 9}" width="12" height="12"/>')
        parts.append(text(x + 20, y + 1, shortened(str(row.get("name")), 26), "name"))
    return [svg(title, height, parts)]


def _bars_first(row: Row) -> tuple[bool, float]:
    return str(row.get("name")) not in ("hmar", "linear"), -(number(row.get("macro_map")) or 0.0)


def _length(bits: float) -> str:
    return f"{bits:.0f} bits" if bits else "floats"


def _chart(
    title: str,
    x_name: str,
    y_name: str,
    area: _Area,
    x_ticks: Sequence[tuple[float, str]],
    lines: Sequence[_Line],
    drawn: Styles,
) -> str:
    parts = [text(LEFT, 24, title, "plot-title"), *_axes(area, x_name, y_name, x_ticks)]
    ends = [area.at(*line.points[-1]) for line in lines]
    heights = spread([y for _, y in ends], LABEL_GAP, TOP, HEIGHT - BOTTOM)
    for line, (x, y), label_y in zip(lines, ends, heights, strict=True):
        parts += _drawn_line(line, area, drawn[line.name])
        edge = WIDTH - RIGHT
        parts.append(f'<path class="leader" d="M{x + 4:.1f} {y:.1f}L{edge + 14} {label_y:.1f}"/>')
        colour = drawn[line.name][0]
        parts.append(text(edge + 18, label_y + 4, shortened(line.name, 30), f"name t{colour}"))
    return svg(title, HEIGHT, parts)


def _axes(area: _Area, x_name: str, y_name: str, x_ticks: Sequence[tuple[float, str]]) -> list[str]:
    parts = []
    steps = round(10 * area.y_max) if area.y_max <= 0.6 else round(5 * area.y_max)
    for value in (area.y_max * step / steps for step in range(steps + 1)):
        x, y = area.at(0, value)
        parts.append(f'<path class="grid" d="M{x} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(text(x - 8, y + 4, f"{value:.1f}", "tick end"))
    for value, label in x_ticks:
        parts.append(text(area.at(value, 0)[0], HEIGHT - BOTTOM + 20, label, "tick middle"))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x_name, "axis middle"))
    parts.append(text(14, TOP - 8, y_name, "axis"))
    return parts


def _drawn_line(line: _Line, area: _Area, style: tuple[int, str]) -> list[str]:
    colour, dash = style
    places = [area.at(*point) for point in line.points]
    strong = " strong" if line.name == "hmar" else ""
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    parts = [f'<path class="line s{colour}{strong}" stroke-dasharray="{dash}" d="M{path}"/>']
    for x, low, high in line.whiskers:
        (across, bottom), (_, top) = area.at(x, low), area.at(x, high)
        parts.append(f'<path class="whisker s{colour}" d="M{across:.1f} {bottom:.1f}V{top:.1f}"/>')
    for (x, y), (_, value) in zip(places, line.points, strict=True):
        if line.markers:
            tip = f"<title>{escape(line.name)}: {value:.3f}</title>"
            parts.append(f'<circle class="c{colour}" cx="{x:.1f}" cy="{y:.1f}" r="3.5">{tip}</circle>')
    return parts


def _round_up(value: float) -> float:
    """Return the next tenth, above 0.6 the next fifth, so that the axis ends on a tick; at least 0.1."""
    tenths = max(1, -(-round(value * 1000) // 100))
    return (tenths + tenths % 2 if tenths > 6 else tenths) / 10
