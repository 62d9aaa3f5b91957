"""The plot of the memory under load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def plot_memory(samples: Sequence[tuple[float, dict[str, float]]], path: Path) -> None:
    """Draw the memory of each process over time as SVG.

    Parameters
    ----------
    samples : sequence of (float, dict of str to float)
        Seconds since the beginning, and MiB by process.
    path : Path
        Where to write.
    """
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    with pyplot.rc_context({"svg.hashsalt": "trust", "font.size": 9}):
        figure, axes = pyplot.subplots(figsize=(7, 3.2))
        names = sorted(
            {name for _, sizes in samples for name in sizes}, key=lambda name: -samples[-1][1].get(name, 0)
        )
        for name in names:
            axes.plot(
                [moment / 60 for moment, _ in samples],
                [sizes.get(name, 0.0) for _, sizes in samples],
                label=name,
                linewidth=1,
            )
        axes.set(xlabel="minutes", ylabel="memory (PSS), MiB", ylim=(0, None))
        axes.legend(frameon=False, fontsize=7, ncols=1, loc="center left", bbox_to_anchor=(1, 0.5))
        figure.tight_layout()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)
