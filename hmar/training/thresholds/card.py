"""What the card of an adapted model says: of how many frames and people its thresholds are, not of whom."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hmar.model.bit_statistics import BitStatistics
from hmar.model.bundle import ModelInfo
from hmar.training.card_sections import without_section
from hmar.training.thresholds.measuring import Fitted

_SECTION = "## Thresholds"
_TEXT = """\
{section}
Weights of {base} ({fingerprint}), adapted by `hmar adapt`: a bit is 1 where its logit is above the median of
an archive's frames of the same modality. People count equally in the medians. Bit statistics before and
after are of codes of a fifth of the people, with medians of the others: the share of the rarer value, mean
over the bits and of the worst bit; the mean absolute correlation of two bits; the number of independent bits
that the code is worth. Figures above this section are of codes without these thresholds.

| modality | frames | people | code | rarer value | worst bit | correlation | effective bits |
|---|---|---|---|---|---|---|---|
{rows}
"""


def adapted_card(card: str, name: str, base: ModelInfo, fitted: Sequence[Fitted]) -> str:
    """Return the card of a model that was adapted.

    Parameters
    ----------
    card : str
        The base model's, in Markdown. A section on earlier thresholds is replaced.
    name : str
        The new model's.
    base : ModelInfo
    fitted : sequence of Fitted
    """
    body = re.sub(r"\A# .*", lambda _: f"# {name}", without_section(card, _SECTION))
    rows = "\n".join(f"| {' | '.join(row)} |" for one in fitted for row in rows_of(one))
    text = _TEXT.format(section=_SECTION, base=base.name, fingerprint=base.fingerprint, rows=rows)
    return f"{body.rstrip()}\n\n{text}"


def statistics_cells(statistics: BitStatistics) -> list[str]:
    """Return bit statistics as the cells of a table."""
    return [
        f"{statistics.rarer_share:.3f}",
        f"{statistics.worst_share:.3f}",
        f"{statistics.correlation:.3f}",
        f"{statistics.effective_bits:.1f}",
    ]


def rows_of(fitted: Fitted) -> list[list[str]]:
    """Return the rows of a table on one modality: frames and windows, before and after."""
    counts = [fitted.name, str(fitted.frames), str(fitted.people)]
    return [
        [*counts, f"{code}, {when}", *statistics_cells(statistics)]
        for i, code in enumerate(("frame", "windows"))
        for when, statistics in (("before", fitted.change.before[i]), ("after", fitted.change.after[i]))
    ]
