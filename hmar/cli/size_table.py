"""What ``hmar size`` prints."""

from __future__ import annotations

import math
from collections.abc import Sequence

import click

from hmar.cli.tables import print_table
from hmar.sizing.estimate import Estimate
from hmar.sizing.figures import Figures
from hmar.sizing.fit import Interval

_SHOWN = {
    "windows": ("windows of a frame", "", 0),
    "database_gib": ("database", "GiB", 1),
    "snapshot_gib": ("snapshot of the index", "GiB", 1),
    "disk_gib": ("disk: database and two snapshots", "GiB", 1),
    "memory_gib": ("memory", "GiB", 1),
    "index_h": ("indexing all of it", "h", 1),
    "start_s": ("opening the snapshot at a start", "s", 2),
    "rebuild_s": ("building the index without one", "s", 0),
    "search_ms": ("exact region search, median", "ms", 0),
    "cores": ("cores that exact searches keep busy", "", 1),
}
"""What each figure is called, its unit, and its decimals."""
_FAST = {
    "search_ms": ("fast region search, median", "ms", 0),
    "recall_at_10": ("the 10 nearest that it finds", "%", 1),
    "recall_at_100": ("the 100 nearest that it finds", "%", 1),
    "cores": ("cores that fast searches keep busy", "", 1),
}
_PERCENT = "%"


def print_estimate(found: Estimate, figures: Figures) -> None:
    """Print what an archive needs, what to do where one machine is not enough, and where it was measured."""
    print_table(("", "figure", "from", "to", ""), _rows(found))
    for line in found.advice or ("One machine with SQLite holds this.",):
        click.echo(f"\n{line}")
    click.echo(f"\n{_made(found)}")
    click.echo(f"\nSearches were timed on archives of {_archives(figures)} a frame.")
    click.echo(f"Measured on: {_machines(figures)}.")


def _rows(found: Estimate) -> list[tuple[str, ...]]:
    fast = found.fast.intervals() if found.fast else {}
    told = [(_SHOWN[name], value) for name, value in found.intervals()]
    told += [(_FAST[name], value) for name, value in fast.items()]
    return [
        (label, *_numbers(value, unit, decimals), _beyond(value)) for (label, unit, decimals), value in told
    ]


def _numbers(value: Interval, unit: str, decimals: int) -> tuple[str, str, str]:
    numbers = [value.value, value.low, value.high]
    if unit == _PERCENT:
        # Rounded down: that all were found is not said where one was not.
        numbers = [math.floor(round(1000 * share, 6)) / 10 for share in numbers]
    told, low, high = (f"{number:,.{decimals}f}" for number in numbers)
    return f"{told} {unit}".rstrip(), low, high


def _beyond(value: Interval) -> str:
    return f"extrapolated: {value.beyond:.1f} times what was measured" if value.extrapolated else ""


def _made(found: Estimate) -> str:
    """Say how searches are made where nothing is said, and from what size they are fast."""
    if found.fast_from is None:
        return "Searches are exact unless a fast one is asked for (HMAR_FAST_ABOVE is 0)."
    other = "an exact" if found.made == "fast" else "a fast"
    return (
        f"Searches of this archive are {found.made} unless {other} one is asked for; from "
        f"{found.fast_from / 1e6:,.0f} million windows (HMAR_FAST_ABOVE), here "
        f"{found.fast_from_frames:,} frames, they are fast."
    )


def _archives(figures: Figures) -> str:
    """Say how large the archives were, and how many windows a frame had."""
    points = [scan.p50_ms for scan in figures.scans]
    windows = _span([point.windows / 1e6 for point in points])
    return f"{windows} million windows, {_span([point.windows / point.frames for point in points])}"


def _span(values: Sequence[float]) -> str:
    least, most = (f"{value:,.0f}" for value in (min(values), max(values)))
    return least if least == most else f"{least} to {most}"


def _machines(figures: Figures) -> str:
    named = {
        f"{one.processor} ({one.time[:10]}, {(one.commit or 'no commit')[:8]})" for one in figures.sources
    }
    return "; ".join(sorted(named))
