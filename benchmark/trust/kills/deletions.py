"""Kills of the web server under ``hmar serve`` while it deletes."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

from benchmark.trust.kills.in_turn import Served, Trial, try_in_turn
from benchmark.trust.kills.served import ask, ask_once, finished, killed, submitted
from benchmark.trust.kills.tally import Tally
from benchmark.trust.oracle.album import album
from benchmark.trust.oracle.rows import Codes, FrameKey, Frames, frames_of

DELETION_S = 0.1
"""Deletions take some hundredths of a second."""
_PATH = "/api/v1/deletions"


def try_deletions(
    count: int,
    folder: Path,
    images: Path,
    codes: Mapping[tuple[str, int], Codes],
    seed: int,
    say: Callable[[str], None],
) -> Tally:
    """Kill the web server of a running product after random times while it deletes a series, and ask again.

    When it has been killed, all frames of the series are there or none, and all others are; when it was
    asked again, none.

    Parameters
    ----------
    count : int
        Number of kills.
    folder, images, codes, seed, say
        As in :func:`benchmark.trust.kills.rounds.try_rounds`.
    """
    drawn = random.Random(f"{seed} deletions")  # noqa: S311 - repeatable, not secret
    tally = Tally()

    def trial() -> Trial:
        moment, series_uid = drawn.uniform(0, DELETION_S), drawn.choice(album(0)).series_uid

        def wrong(served: Served, number: int) -> list[str]:
            return _deleted(served, f"round-{number}", series_uid, moment, codes)

        return Trial(f"service, killed {moment:.3f} s after it was asked to delete", tally, wrong)

    trials = [trial() for _ in range(count)]
    try_in_turn(trials, folder / "deletions", images, "deletions under hmar serve", say)
    return tally


def _deleted(
    served: Served,
    collection: str,
    series_uid: str,
    moment: float,
    codes: Mapping[tuple[str, int], Codes],
) -> list[str]:
    """Index the album, and delete a series of it with a kill in between; return what was wrong."""
    product, home = served.product, served.home
    finished(home, submitted(product, collection))
    before = served.expected | {FrameKey(collection, *key): found for key, found in codes.items()}
    served.expected = after = _without(before, collection, series_uid)
    body = {"level": "series", "uid": series_uid, "collection": collection}

    def first() -> None:
        with suppress(OSError, HTTPException):  # the answer does not come from a server that was killed
            ask_once(product, _PATH, body)

    asking = threading.Thread(target=first)
    asking.start()
    time.sleep(moment)
    killed(product, "service")
    asking.join()
    found = [] if frames_of(home) in (before, after) else ["part of the frames are deleted"]
    ask(product, _PATH, body)
    return found if frames_of(home) == after else [*found, "asked again, the frames are not those expected"]


def _without(frames: Frames, collection: str, series_uid: str) -> Frames:
    gone = {picture.sop_instance_uid for picture in album(0) if picture.series_uid == series_uid}
    return {
        key: found
        for key, found in frames.items()
        if key.collection != collection or key.sop_instance_uid not in gone
    }
