"""Kills under ``hmar serve``, one after the other on one archive; after a hang, on a new one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.trust.kills.served import READY_S, killed_with_parts, started
from benchmark.trust.kills.tally import Tally, at_rest
from benchmark.trust.nursery import HungError, begin
from benchmark.trust.oracle.rows import Frames
from benchmark.trust.settings import environment_of
from hmar.errors import UnavailableError
from hmar.product.running import RunningProduct

_LOOK = "benchmark.trust.kills.operations:look"


@dataclass(slots=True)
class Served:
    """A running product, and the frames that its archive must hold.

    Parameters
    ----------
    product : RunningProduct
        Replaced when its supervisor is killed and started again.
    expected : dict
    """

    product: RunningProduct
    expected: Frames = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The data directory."""
        return self.product.home


@dataclass(frozen=True, slots=True)
class Trial:
    """One kill.

    Parameters
    ----------
    where : str
        Begins the lines on what was wrong.
    tally : Tally
        Counts it.
    wrong : callable
        Does it, given the product and the trial's number; returns what was wrong.
    """

    where: str
    tally: Tally
    wrong: Callable[[Served, int], list[str]]


def try_in_turn(
    trials: Sequence[Trial], folder: Path, images: Path, title: str, say: Callable[[str], None]
) -> None:
    """Do all trials, and count what was wrong after each of them and with the archive at the end.

    A product that hangs, ends or does not answer is one failure: it is killed, and the trials that are left
    are done with a new product on a new archive.

    Parameters
    ----------
    trials : sequence of Trial
    folder, images : Path
        Scratch space, and the folder that is indexed.
    title : str
        Names the trials in progress and failures.
    say : callable
        Takes a line of progress.
    """
    done = 0
    while done < len(trials):
        home = folder / f"from-{done}" / "home"
        shutil.copytree(images, home / "import" / "album")
        done = _with_one_archive(trials, done, home, title, say)


def _with_one_archive(
    trials: Sequence[Trial], first: int, home: Path, title: str, say: Callable[[str], None]
) -> int:
    """Do trials until the last, or one that hangs; return how many of all are done then."""
    served: Served | None = None
    for number, trial in enumerate(trials[first:], start=first):
        try:
            served = served or Served(started(home))
            wrong = trial.wrong(served, number)
        except (HungError, UnavailableError, OSError) as error:
            trial.tally.add("random", True, [str(error)], trial.where)
            if served is not None:
                killed_with_parts(served.product)
            return number + 1
        trial.tally.add("random", True, wrong, trial.where)
        say(f"kills: {title}: {number + 1} of {len(trials)}")
    if served is not None:
        trials[-1].tally.add_at_end(_wrong_at_end(served), f"{title}, after all kills")
    return len(trials)


def _wrong_at_end(served: Served) -> list[str]:
    """Stop a product; return what is wrong with its archive then."""
    product, home = served.product, served.home
    product.process.terminate()
    try:
        product.process.wait(READY_S)
    except subprocess.TimeoutExpired:
        killed_with_parts(product)
        return ["hmar serve did not stop"]
    looked = begin(home.parent, "look", environment_of(home), _LOOK, str(home))
    try:
        found: list[str] = looked.value()
        return at_rest(home, served.expected) + found
    except (HungError, RuntimeError) as error:
        return [str(error)]
