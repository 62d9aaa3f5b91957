"""The curves of docs/scaling.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hmar.sizing.estimate import Estimate, estimate
from hmar.sizing.figures import Figures
from hmar.sizing.fit import Interval
from hmar.sizing.wanted import Wanted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZES = [round(10 ** (4 + step / 8)) for step in range(25)]
"""Frames from ten thousand to ten million."""
CURVES = {
    "scaling-memory": ("GiB", ("memory_gib", "disk_gib"), ("memory", "disk")),
    "scaling-time": (
        "seconds",
        ("search_ms", "fast_ms", "start_s", "rebuild_s"),
        (
            "exact region search, two threads",
            "fast region search, two threads",
            "opening the snapshot",
            "building the index without one",
        ),
    ),
    "scaling-indexing": ("hours on two cores", ("index_h",), ("indexing",)),
}
_MS = 0.001
"""Of a second."""


def draw_curves(figures: Figures, folder: Path) -> list[Path]:
    """Draw each curve with its interval as an SVG file, extrapolated parts dashed; return the files."""
    import matplotlib as mpl

    mpl.use("svg")
    found = [estimate(Wanted(size), figures) for size in SIZES]
    return [_drawn(found, folder / f"{name}.svg", *curve) for name, curve in CURVES.items()]


def _drawn(
    found: Sequence[Estimate], path: Path, unit: str, names: Sequence[str], labels: Sequence[str]
) -> Path:
    from matplotlib import pyplot

    with pyplot.rc_context({"svg.hashsalt": "scaling", "font.size": 9}):
        figure, axes = pyplot.subplots(figsize=(7, 3.2))
        for name, label in zip(names, labels, strict=True):
            each = [(one.wanted.frames, told) for one in found if (told := _figure(one, name))]
            if each:
                _draw(axes, each, label)
        axes.set(xlabel="frames", ylabel=unit, xscale="log", yscale="log")
        axes.grid(alpha=0.3, linewidth=0.5)
        axes.legend(frameon=False, fontsize=8)
        figure.tight_layout()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)
    return path


def _draw(axes: Axes, each: Sequence[tuple[int, Interval]], label: str) -> None:
    """Draw one figure at the sizes that have it."""
    sizes = [size for size, _ in each]
    [line] = axes.plot(sizes, [one.value for _, one in each], label=label, linewidth=1, linestyle="--")
    known = [(size, one.value) for size, one in each if not one.extrapolated]
    if known:
        axes.plot(*zip(*known, strict=True), color=line.get_color(), linewidth=2)
    low, high = [one.low for _, one in each], [one.high for _, one in each]
    axes.fill_between(sizes, low, high, alpha=0.15, color=line.get_color())


def _figure(found: Estimate, name: str) -> Interval | None:
    if name == "fast_ms":
        return found.fast.searching.search_ms.times(_MS) if found.fast else None
    figure: Interval = getattr(found, name)
    return figure.times(_MS) if name == "search_ms" else figure
