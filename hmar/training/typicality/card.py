"""What a model's card says of its references: of how many frames and people they are, not of whom."""

from __future__ import annotations

from collections.abc import Mapping

from hmar.training.card_sections import without_section

_SECTION = "## Typicality"
_TEXT = """\
{section}
How typical a query is of frames of its kind is measured from the frames of this table, and from windows of
theirs. A kind that is not in it cannot be told.

| kind of frame | measured from |
|---|---|
{rows}
"""


def with_typicality(card: str, measured_from: Mapping[str, object]) -> str:
    """Return a card with a section on references in place of an earlier one.

    Parameters
    ----------
    card : str
        Markdown.
    measured_from : mapping of str to object
        What to print of each kind.
    """
    rows = "\n".join(f"| {kind} | {count} |" for kind, count in measured_from.items())
    text = _TEXT.format(section=_SECTION, rows=rows)
    before, limits, after = without_typicality(card).partition("\n## Limits\n")
    return f"{before.rstrip()}\n\n{text}{limits}{after}"


def without_typicality(card: str) -> str:
    """Return a card without its section on references."""
    return without_section(card, _SECTION)
