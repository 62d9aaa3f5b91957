"""The page ``docs/trust.md``: written from the newest record of each part, so that no figure is typed."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.report.markdown import escaped
from benchmark.trust.parts import PARTS, Part, chosen_parts
from benchmark.trust.running import Record

TITLE = "Trust: what was done to the product, and what it did"
COMMAND = "make trust"
SHOWN_FAILURES = 20
_NONE = "Not run yet."


def write_page(records: Path, page: Path) -> None:
    """Write the page from a file of JSON lines, as ``hmar bench trust --json`` appends them."""
    lines = records.read_text("utf-8").splitlines() if records.exists() else []
    page.write_text(page_of([json.loads(line) for line in lines]), "utf-8")


def page_of(records: Sequence[Record]) -> str:
    """Return the page of the newest record of each part, in the order in which parts run."""
    newest = {record["part"]: record for record in records}
    parts = chosen_parts(list(PARTS))
    sections = [_section(part, newest.get(part.name)) for part in parts]
    head = [
        f"# {TITLE}",
        "The product was killed, damaged, starved and attacked on purpose, on its own archives. This table "
        "says what was tried and what held; below it is, for each part, how it was done, what counts as a "
        "failure, and all that was found.",
        _overview(parts, newest),
        f"Written by `{COMMAND}` ([operations](operations.md#trials)) from the newest record of each part in "
        "[trust.jsonl](../benchmark/results/trust.jsonl); run it to have these figures of your machine. "
        "No figure here is typed. "
        "The short form makes each kind of trial a few times, in CI; it judges no latency and no slope.",
    ]
    return "\n\n".join(head + sections) + "\n"


def _overview(parts: Sequence[Part], newest: Mapping[str, Record]) -> str:
    rows = [_line(part, newest.get(part.name)) for part in parts]
    return _table(["part", "tried", "held", "failures", "form"], rows)


def _line(part: Part, record: Record | None) -> list[str]:
    if record is None:
        return [part.title, _NONE, "", "", ""]
    figures = {name: _shown(value) for name, value in record["summary"].items()}
    try:
        tried, held = part.tried.format_map(figures), part.held.format_map(figures)
    except KeyError:  # left out on that machine, or ended before it had figures
        tried, held = ", ".join(f"{name}: {value}" for name, value in figures.items()), ""
    form = f"{'short' if record['short'] else 'full'}, {_duration(record['seconds'])}"
    return [part.title, tried, held, str(len(record["failures"]) or "none"), form]


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def _section(part: Part, record: Record | None) -> str:
    protocol = inspect.cleandoc(part.run.__doc__ or "")
    texts = [f"## {part.title}", protocol]
    if record is None:
        return "\n\n".join([*texts, _NONE])
    texts.append(_figures(record["summary"]))
    if part.picture and not record["short"]:
        texts.append(f"![{part.title}]({part.picture})")
    if rows := record["rows"]:
        texts.append(_table(list(rows[0]), [[_shown(value) for value in row.values()] for row in rows]))
    texts += _failures(record["failures"])
    return "\n\n".join([*texts, _made_in(record)])


def _figures(summary: Mapping[str, Any]) -> str:
    figures = ", ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in summary.items())
    return escaped(f"Figures: {figures or 'none'}.")


def _failures(failures: Sequence[str]) -> list[str]:
    if not failures:
        return []
    shown = [f"- {escaped(text)}" for text in failures[:SHOWN_FAILURES]]
    if len(failures) > SHOWN_FAILURES:
        shown.append(f"- and {len(failures) - SHOWN_FAILURES} more")
    return ["What failed:", "\n".join(shown)]


def _made_in(record: Record) -> str:
    made = record["environment"]
    machine = made["machine"]
    return escaped(
        f"{made['time']}, commit {made['commit']}, seed {record['seed']}, {machine['processor']}, "
        f"{machine['cores']} cores, {machine['system']}, Python {made['versions']['python']}."
    )


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *([escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(value: Any) -> str:
    return (
        f"{value:,.4g}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )
