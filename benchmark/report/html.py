"""The report as one page that needs nothing else: no script, no font, no request."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from benchmark.report.accuracy_plots import bits_plot, class_plot
from benchmark.report.curve_plots import curve_plot
from benchmark.report.figure import THEME, WIDTH, Plot
from benchmark.report.labels import DEFINITIONS, MARKED, NOTHING, PROTOCOLS, Row, protocol_of
from benchmark.report.montage import Montage
from benchmark.report.peers import Colours, peer_colours
from benchmark.report.tables import (
    Group,
    Table,
    accuracy_table,
    area_table,
    class_table,
    environment_table,
    groups,
    other_tables,
    speed_parts,
    speed_table,
)
from benchmark.report.time_plots import growth_plot, ratio_plot

_SENTENCE = 24
_NUMBER = re.compile(rf"[-+]?[0-9][0-9.e+-]*( to .*| \(.*\))?|{NOTHING}")


@dataclass(frozen=True, slots=True)
class _Section:
    """What stands under a heading: plots to look at, then tables to read, the further ones folded."""

    title: str
    plots: Sequence[Plot]
    tables: Sequence[Table] = ()
    folded: Sequence[Table] = ()


def html_page(
    rows: Sequence[Row],
    title: str,
    environment: Mapping[str, object],
    pictures: Sequence[tuple[Montage, bytes]],
) -> str:
    """Return the page; every value in it is escaped.

    Parameters
    ----------
    rows, title, environment
        As for :func:`benchmark.report.write_report`.
    pictures : sequence of (Montage, bytes)
        Each with its PNG file.
    """
    compared = groups(rows)
    colours = peer_colours(compared)
    used = {protocol_of(row) for row in rows}
    return _templates().get_template("page.html").render(
        title=title,
        themes={"light": _theme(0), "dark": _theme(1)},
        width=WIDTH,
        warnings=[(mark, PROTOCOLS[name]) for name, mark in MARKED.items() if name in used],
        accuracy=[_accuracy(group, colours) for group in compared],
        growth=growth_plot(rows),
        pictures=[(montage, base64.b64encode(png).decode()) for montage, png in pictures],
        speed=[_speed(part, members) for part, members in speed_parts(rows).items()],
        other=other_tables(rows),
        definitions=DEFINITIONS,
        environment=environment_table(environment),
    )  # fmt: skip


def _accuracy(group: Group, colours: Colours) -> _Section:
    """Return a group's section; what papers say is tabled and not plotted beside what was measured."""
    drawn = [bits_plot(group), curve_plot(group, colours), class_plot(group, colours)]
    plots = [plot for plot in drawn if plot is not None and group.protocol != "quoted"]
    further = [table for table in (class_table(group), area_table(group)) if table is not None]
    return _Section(group.title, plots, [accuracy_table(group)], further)


def _speed(part: str, rows: Sequence[Row]) -> _Section:
    plot, table = ratio_plot(part, rows), speed_table(part, rows)
    return _Section(table.title, [] if plot is None else [plot], [table])


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("benchmark.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"text": _text, "mark": _mark, "kind": _kind}
    return environment


def _theme(position: int) -> dict[str, str]:
    return {name: shades[position] for name, shades in THEME.items()}


def _mark(heading: str) -> str:
    """Return the mark at the end of a heading, or nothing."""
    return next((mark for mark in MARKED.values() if heading.endswith(f" [{mark}]")), "")


def _text(heading: str) -> str:
    """Return a heading without the mark at its end, which the page sets apart."""
    mark = _mark(heading)
    return heading.removesuffix(f" [{mark}]") if mark else heading


def _kind(cell: str) -> str:
    """Return the class of a cell: numbers stand at the right, words are not broken, sentences are."""
    if _NUMBER.fullmatch(cell):
        return "n"
    return "long" if len(cell) > _SENTENCE else ""
