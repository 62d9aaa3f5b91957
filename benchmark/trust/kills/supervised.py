"""Kills under ``hmar serve``: of the supervisor with all it started, and of parts that it starts again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmark.trust.kills.in_turn import Served, Trial, try_in_turn
from benchmark.trust.kills.served import finished, killed, submitted
from benchmark.trust.kills.tally import Tally
from benchmark.trust.oracle.rows import Codes, FrameKey, frames_of

JOB_S = 1.5


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

    def trial(victim: str) -> Trial:
        moment = drawn.uniform(0, JOB_S)

        def wrong(served: Served, number: int) -> list[str]:
            return _indexed(served, f"round-{number}", victim, moment, codes)

        return Trial(f"{victim} under hmar serve, killed after {moment:.3f} s", tallies[victim], wrong)

    try_in_turn([trial(victim) for victim in victims], folder / "supervised", images, "hmar serve", say)
    return tallies


def _indexed(
    served: Served, collection: str, victim: str, moment: float, codes: Mapping[tuple[str, int], Codes]
) -> list[str]:
    """Index the album with a kill in between; return what was wrong."""
    served.expected |= {FrameKey(collection, *key): found for key, found in codes.items()}
    job_id = submitted(served.product, collection)
    time.sleep(moment)
    served.product = killed(served.product, victim)
    job = finished(served.home, job_id)
    if frames_of(served.home) == served.expected:
        return []
    return [f"other frames than indexed, job {job.counts}"]
