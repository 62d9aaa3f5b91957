"""Kills of the web server under ``hmar serve`` while it deletes."""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

from benchmark.trust.kills.served import READY_S, ask, ask_once, finished, killed, started, submitted
from benchmark.trust.kills.tally import Tally, at_rest
from benchmark.trust.nursery import begin
from benchmark.trust.oracle.album import album
from benchmark.trust.oracle.rows import Codes, FrameKey, Frames, frames_of
from benchmark.trust.settings import environment_of
from hmar.product.running import RunningProduct

DELETION_S = 0.1
"""Deletions take some hundredths of a second."""
_PATH = "/api/v1/deletions"
_LOOK = "benchmark.trust.kills.operations:look"


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
    home = folder / "deletions" / "home"
    shutil.copytree(images, home / "import" / "album")
    expected: Frames = {}
    product = started(home)
    try:
        for number in range(count):
            collection, moment = f"round-{number}", drawn.uniform(0, DELETION_S)
            finished(home, submitted(product, collection))
            before = expected | {FrameKey(collection, *key): found for key, found in codes.items()}
            series_uid = drawn.choice(album(0)).series_uid
            expected = _without(before, collection, series_uid)
            wrong = _deleted(product, home, series_uid, collection, moment, before, expected)
            tally.add("random", True, wrong, f"service, killed {moment:.3f} s after it was asked to delete")
            say(f"kills: deletions under hmar serve: {number + 1} of {count}")
    finally:
        product.process.terminate()
        product.process.wait(READY_S)
    looked = begin(home.parent, "look", environment_of(home), _LOOK, str(home))
    tally.failures += [
        f"deletions, after all kills: {text}" for text in at_rest(home, expected) + looked.value()
    ]
    return tally


def _deleted(
    product: RunningProduct,
    home: Path,
    series_uid: str,
    collection: str,
    moment: float,
    before: Frames,
    after: Frames,
) -> list[str]:
    """Delete a series from a collection with a kill in between; return what was wrong."""
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
