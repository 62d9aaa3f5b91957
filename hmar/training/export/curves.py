"""Training curves as a picture, from a run's log."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import matplotlib

from hmar.training.log import read_log

matplotlib.use("Agg")
from matplotlib import pyplot

_SIZE = (9.0, 6.0)


def draw_curves(log: Path, picture: Path) -> None:
    """Draw every loss of all stages, and validation, over the steps.

    Parameters
    ----------
    log : Path
        JSON lines, as :func:`hmar.training.run.train` writes them.
    picture : Path
        PNG to write.
    """
    steps = read_log(log)
    figure, (losses, found) = pyplot.subplots(2, 1, figsize=_SIZE, sharex=True, height_ratios=(2, 1))
    for name in sorted({name for step in steps for name in step["losses"]}):
        points = [(at, step["losses"][name]) for at, step in enumerate(steps, 1) if name in step["losses"]]
        losses.plot(*zip(*points, strict=True), label=name, linewidth=1.0)
    looked = [(at, step["validation"]) for at, step in enumerate(steps, 1) if step["validation"] is not None]
    if looked:
        found.plot(*zip(*looked, strict=True), marker="o", markersize=3, color="black")
    begins = [at + 0.5 for at, (a, b) in enumerate(pairwise(steps), 1) if a["stage"] != b["stage"]]
    for axes in (losses, found):
        axes.grid(alpha=0.3)
        for at in begins:
            axes.axvline(at, color="grey", linestyle=":")
    losses.set_ylabel("loss")
    losses.legend(fontsize=8, ncols=4)
    found.set_ylabel("held out:\nvalidation")
    found.set_xlabel("step (dotted: a stage begins)")
    figure.savefig(picture, dpi=110, bbox_inches="tight", metadata={"Software": None})
    pyplot.close(figure)
