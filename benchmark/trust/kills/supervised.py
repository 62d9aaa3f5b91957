"""Kills under ``hmar serve``: of the supervisor with all it started, and of parts that it starts again."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmark.trust.kills.served import READY_S, finished, killed, started, submitted
from benchmark.trust.kills.tally import Tally, at_rest
from benchmark.trust.nursery import HungError, begin
from benchmark.trust.oracle.rows import Codes, FrameKey, Frames, frames_of
from benchmark.trust.settings import environment_of
from hmar.errors import UnavailableError

JOB_S = 1.5
_LOOK = "benchmark.trust.kills.operations:look"


def try_supervised(
    victims: list[str],
    folder: Path,
    images: Path,
    codes: Mapping[tuple[str, int], Codes],
    seed: int,
    say: Callable[[str], None],
) -> dict[str, Tally]:
    """Kill parts of a product that ``hmar serve`` runs, one in each job.

    Parameters
    ----------
    victims : list of str
        In order: ``supervisor``, ``worker`` or ``service``.
    folder, images, codes, seed, say
        As in :func:`benchmark.trust.kills.rounds.try_rounds`.
    """
    drawn = random.Random(f"{seed} supervised")  # noqa: S311 - repeatable, not secret
    tallies = {victim: Tally() for victim in victims}
    home = folder / "supervised" / "home"
    shutil.copytree(images, home / "import" / "album")
    expected: Frames = {}
    product = started(home)
    try:
        for number, victim in enumerate(victims):
            collection, moment = f"round-{number}", drawn.uniform(0, JOB_S)
            expected |= {FrameKey(collection, *key): found for key, found in codes.items()}
            job_id = submitted(product, collection)
            time.sleep(moment)
            product = killed(product, victim)
            job = finished(home, job_id)
            where = f"{victim} under hmar serve, killed after {moment:.3f} s"
            wrong = [] if frames_of(home) == expected else [f"other frames than indexed, job {job.counts}"]
            tallies[victim].add("random", True, wrong, where)
            say(f"kills: hmar serve: {number + 1} of {len(victims)}")
    except (HungError, UnavailableError, OSError) as error:
        tallies[victim].add("random", True, [str(error)], f"{victim} under hmar serve")
    finally:
        product.process.terminate()
        product.process.wait(READY_S)
    looked = begin(home.parent, "look", environment_of(home), _LOOK, str(home))
    wrong = at_rest(home, expected) + looked.value()
    if wrong:
        last = tallies[victims[-1]]
        last.survived = max(0, last.survived - 1)
        last.failures += [f"hmar serve, after all kills: {text}" for text in wrong]
    return tallies
