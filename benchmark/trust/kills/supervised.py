"""Kills under ``hmar serve``: of the supervisor with all it started, and of parts that it starts again."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmark.trust.kills.processes import children_of, command_line
from benchmark.trust.kills.tally import Tally, at_rest
from benchmark.trust.nursery import HungError, begin
from benchmark.trust.oracle.rows import Codes, FrameKey, Frames, frames_of
from benchmark.trust.settings import environment_of, settings_of
from hmar.errors import UnavailableError
from hmar.product.running import RunningProduct, start_product
from hmar.values.jobs import Job
from hmar.wiring import build_engine

PARTS = {"worker": "workers", "service": "service"}
"""Names and modules of what the supervisor starts again."""
JOB_S = 1.5
READY_S = 90.0
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
    product = _started(home)
    try:
        for number, victim in enumerate(victims):
            collection, moment = f"round-{number}", drawn.uniform(0, JOB_S)
            expected |= {FrameKey(collection, *key): found for key, found in codes.items()}
            job_id = _submitted(product, collection)
            time.sleep(moment)
            product = _killed(product, victim)
            job = _finished(home, job_id)
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


def _started(home: Path) -> RunningProduct:
    log = home.parent / "product.log"
    with log.open("wb") as output:
        process = start_product(home, environment_of(home), output)
    product = RunningProduct(process, home, log)
    end = time.monotonic() + READY_S
    while "HMAR search is ready" not in product.output():
        product.check()
        if time.monotonic() > end:
            raise HungError("hmar serve was not ready")
        time.sleep(0.05)
    return product


def _killed(product: RunningProduct, victim: str) -> RunningProduct:
    """Kill a part; return the product that runs afterwards."""
    if victim != "supervisor":
        parts = children_of(product.process.pid)
        found = [pid for pid in parts if f"-m {PARTS[victim]}" in command_line(pid)]
        os.kill(found[0], signal.SIGKILL)
        return product
    parts = children_of(product.process.pid)
    product.process.kill()
    product.process.wait()
    end = time.monotonic() + READY_S
    while any(Path("/proc", str(pid)).exists() for pid in parts):
        if time.monotonic() > end:
            raise HungError("a part outlives its supervisor")
        time.sleep(0.02)
    return _started(product.home)


def _submitted(product: RunningProduct, collection: str) -> str:
    """Submit the job, as often as it takes for the web server to be there."""
    body = json.dumps({"folder": "album", "collection": collection}).encode()
    headers = {"Authorization": f"Bearer {product.key}", "Content-Type": "application/json"}
    end = time.monotonic() + READY_S
    while True:
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{product.url}/api/v1/index-jobs", body, headers
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own address
                return str(json.load(answer)["job_id"])
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _finished(home: Path, job_id: str) -> Job:
    engine = build_engine(settings_of(home))
    try:
        end = time.monotonic() + READY_S
        while (job := engine.jobs.job(job_id)) is None or not job.finished:
            if time.monotonic() > end:
                raise HungError(f"job {job_id} did not end")
            time.sleep(0.05)
        return job
    finally:
        engine.close()
