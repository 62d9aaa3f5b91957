"""The table of properties as docs/api.md shows it; ``make docs`` writes it into the page."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from pydicom.datadict import tag_for_keyword
from pydicom.tag import Tag

from hmar.properties.declaration import Property
from hmar.properties.table import TABLE


def api_table() -> str:
    """Return what a request may ask for, and where headers have it."""
    return _table(
        ("filter", "value", "finds only", "read from"),
        lambda item: (f"`{item.name}`", item.kind.json_forms(item.example), item.finds, _sources(item)),
    )


def filled(page: str, table: str) -> str:
    """Return a page with a table in place of the one between its marks."""
    return re.sub(
        r"(<!-- properties: begin [^\n]*-->\n).*(<!-- properties: end -->)",
        lambda mark: f"{mark[1]}{table}{mark[2]}",
        page,
        flags=re.DOTALL,
    )


def _table(heads: tuple[str, ...], row: Callable[[Property], tuple[str, ...]]) -> str:
    rows = (heads, *map(row, TABLE.values()))
    first, *others = (f"| {' | '.join(cells)} |\n" for cells in rows)
    return "".join((first, f"|{'---|' * len(heads)}\n", *others))


def _sources(item: Property) -> str:
    if not item.sources:
        return "nothing: it is given when images are indexed"
    return ", else ".join(map(_source, item.sources))


def _source(source: str) -> str:
    group, _, keyword = source.rpartition(".")
    tag = Tag(tag_for_keyword(keyword) or 0)
    named = f"{keyword} ({tag.group:04X},{tag.element:04X})"
    return f"{named} of {group}" if group else named


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(filled(page.read_text("utf-8"), api_table()), "utf-8")
