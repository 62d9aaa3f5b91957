"""The report as one page that needs nothing else: no script, no font, no request."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from html import escape

from benchmark.report.labels import MARKED, NOTHING, PROTOCOLS, Row, protocol_of
from benchmark.report.montage import Montage, draw
from benchmark.report.plots import bits_plot, class_bars, curve_plots, growth_plots
from benchmark.report.style import style_sheet
from benchmark.report.svg import styles
from benchmark.report.tables import (
    Table,
    accuracy_table,
    area_table,
    class_table,
    environment_table,
    groups,
    other_tables,
    speed_tables,
)

DEFINITIONS = {
    "Macro mAP": "Mean over classes of the mean over their queries of the expected average precision under "
    "random order within equal distances, over all ranks; queries without anything relevant are left out. "
    "Where a row names another metric, it is that one.",
    "Micro mAP": "The same, mean over queries.",
    "P@k": "Share of relevant images among the first k.",
    "95 % interval": "Percentile bootstrap; whole groups are drawn, not images.",
    "Difference to linear": "Macro mAP less that of the linear head of equal length on the same queries, "
    "with its paired interval.",
    "Peer / ours": "Median over the rounds of the peer's time divided by ours; above 1 ours is faster.",
}
"""What the columns mean."""

_SENTENCE = 24
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_NUMBER = re.compile(rf"[-+]?[0-9][0-9.e+-]*( to .*| \(.*\))?|{NOTHING}")


def html_page(
    rows: Sequence[Row], title: str, environment: Mapping[str, object], montages: Sequence[Montage]
) -> str:
    """Return the page; every value in it is escaped."""
    compared = groups(rows)
    drawn = styles([str(row.get("name")) for group in compared for row in group.rows])
    body = [f"<h1>{escape(title)}</h1>", _warning(rows)]
    for group in compared:
        body.append(f"<h2>{_with_mark(group.title)}</h2>")
        body.append(_table(accuracy_table(group)))
        if group.protocol != "quoted":
            body += [bits_plot(group, drawn), *curve_plots(group, drawn), *class_bars(group, drawn)]
        body += [
            f"<details><summary>{_with_mark(table.title)}</summary>{_table(table)}</details>"
            for table in (class_table(group), area_table(group))
            if table is not None
        ]
    body += _section("Growth", growth_plots(rows, styles(["hmar", "FAISS flat"])))
    body += _section("Queries and their first hits", [_figure(montage) for montage in montages])
    for heading, tables in (("Speed", speed_tables(rows)), ("Further figures", other_tables(rows))):
        body += _section(heading, [f"<h3>{_with_mark(table.title)}</h3>{_table(table)}" for table in tables])
    body += _section("What the columns mean", [_definitions()])
    body += _section("Environment", [_table(environment_table(environment))])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style_sheet()}</style></head>\n"
        f"<body>{''.join(f'{part}{chr(10)}' for part in body if part)}</body></html>\n"
    )


def _section(heading: str, parts: Sequence[str]) -> list[str]:
    return [f"<h2>{escape(heading)}</h2>", *parts] if parts else []


def _warning(rows: Sequence[Row]) -> str:
    used = {protocol_of(row) for row in rows}
    return "".join(
        f'<p class="warn"><span class="mark">{mark}</span> {escape(PROTOCOLS[name])}</p>'
        for name, mark in MARKED.items()
        if name in used
    )


def _with_mark(title: str) -> str:
    """Escape a heading, and set the mark at its end apart."""
    for name in MARKED.values():
        if title.endswith(f" [{name}]"):
            text = title.removesuffix(f" [{name}]")
            return f'{escape(text)}<span class="mark">{name}</span>'
    return escape(title)


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_with_mark(heading)}</th>' for heading in table.headings)
    body = "".join(_table_row(cells, mark) for cells, mark in zip(table.rows, table.marks, strict=True))
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return f'{note}<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _table_row(cells: Sequence[str], mark: str) -> str:
    badge = f'<span class="mark">{escape(mark)}</span>' if mark else ""
    kind = ' class="marked"' if mark else ""
    rest = "".join(f"<td{_kind(cell)}>{escape(cell)}</td>" for cell in cells[1:])
    return f'<tr{kind}><th scope="row">{escape(cells[0])}{badge}</th>{rest}</tr>'


def _kind(cell: str) -> str:
    """Return the class of a cell: numbers stand at the right, words are not broken, sentences are."""
    if _NUMBER.fullmatch(cell):
        return ' class="n"'
    return ' class="long"' if len(cell) > _SENTENCE else ""


def _figure(montage: Montage) -> str:
    data = base64.b64encode(draw(montage)).decode()
    words = escape(montage.description)
    caption = f"{_with_mark(montage.heading)}. Query: {escape(montage.query.caption)}."
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{words}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _definitions() -> str:
    terms = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in DEFINITIONS.items())
    return f"<dl>{terms}</dl>"
