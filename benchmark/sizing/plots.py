"""The curves of docs/scaling.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hmar.sizing.estimate import Estimate, Wanted, estimate
from hmar.sizing.figures import Figures
from hmar.sizing.fit import Interval

SIZES = [round(10 ** (4 + step / 8)) for step in range(25)]
"""Frames from ten thousand to ten million."""
CURVES = {
    "scaling-memory": ("GiB", ("memory_gib", "disk_gib"), ("memory", "disk")),
    "scaling-time": (
        "seconds",
        ("search_ms", "start_s", "rebuild_s"),
        ("region search, two threads", "opening the snapshot", "building the index without one"),
    ),
    "scaling-indexing": ("hours on two cores", ("index_h",), ("indexing",)),
}
_SECONDS = {"search_ms": 0.001}


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
            each: list[Interval] = [getattr(one, name).times(_SECONDS.get(name, 1.0)) for one in found]
            [line] = axes.plot(SIZES, [one.value for one in each], label=label, linewidth=1, linestyle="--")
            known = [(size, one.value) for size, one in zip(SIZES, each, strict=True) if not one.extrapolated]
            if known:
                axes.plot(*zip(*known, strict=True), color=line.get_color(), linewidth=2)
            axes.fill_between(
                SIZES,
                [one.low for one in each],
                [one.high for one in each],
                alpha=0.15,
                color=line.get_color(),
            )
        axes.set(xlabel="frames", ylabel=unit, xscale="log", yscale="log")
        axes.grid(alpha=0.3, linewidth=0.5)
        axes.legend(frameon=False, fontsize=8)
        figure.tight_layout()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)
    return path
