"""A part of the running product, killed during a job: what was asked for is there in the end, once."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmark.trust.kills.processes import decoders_of
from benchmark.trust.kills.tally import Tally, at_rest
from benchmark.trust.marks import MESSAGES, Mark, Tracer, unavailable
from benchmark.trust.nursery import HungError, begin
from benchmark.trust.oracle.over_http import wrong_http_answers
from benchmark.trust.oracle.rows import Codes, FrameKey, Frames, frames_of
from benchmark.trust.servers import Servers, serving
from benchmark.trust.settings import environment_of
from hmar.values.jobs import ItemState

VICTIMS = ("worker", "service", "broker", "decoder", "fork server")
JOB_S = 1.5
"""A job over the album takes about so long: a random kill falls within it."""
KILLS_OF_ONE_ARCHIVE = 10
MARKED_CALLS = ("pwrite64", "fdatasync", *MESSAGES)
MOST_CALLS = {"worker": 40, "service": 4}
"""Marks are drawn up to here; a job makes about as many calls."""
MARK_S = 6.0
BAD_FILES = 1
"""In the folder; they fail in every job."""


def try_rounds(
    victim: str,
    rounds: int,
    folder: Path,
    images: Path,
    codes: Mapping[tuple[str, int], Codes],
    seed: int,
    say: Callable[[str], None],
) -> Tally:
    """Kill a part once in each of so many jobs.

    Parameters
    ----------
    victim : str
        Of :data:`VICTIMS`.
    rounds : int
    folder, images : Path
        Scratch space, and the folder that is indexed.
    codes : mapping
        Of every frame, from an undisturbed run.
    seed : int
    say : callable
        Takes a line of progress.
    """
    tally = Tally()
    drawn = random.Random(f"{seed} {victim}")  # noqa: S311 - repeatable, not secret
    for start in range(0, rounds, KILLS_OF_ONE_ARCHIVE):
        place = folder / f"{victim.replace(' ', '-')}-{start}"
        numbers = range(start, min(rounds, start + KILLS_OF_ONE_ARCHIVE))
        _archive(victim, numbers, place, images, codes, drawn, tally)
        shutil.rmtree(place)
        say(f"kills: {victim}: {numbers.stop} of {rounds}")
    return tally


def _archive(
    victim: str,
    numbers: range,
    place: Path,
    images: Path,
    codes: Mapping[tuple[str, int], Codes],
    drawn: random.Random,
    tally: Tally,
) -> None:
    """Do some rounds with one archive, and look at all of it at their end."""
    expected: Frames = {}
    try:
        with serving(place) as servers:
            shutil.copytree(images, servers.home / "import" / "album")
            for number in numbers:
                collection = f"round-{number}"
                expected |= {FrameKey(collection, *key): found for key, found in codes.items()}
                _Round(servers, victim, collection, drawn).run(tally, expected)
            wrong = wrong_http_answers(servers)
        look = f"{_OPERATIONS}:look"
        looked = begin(place, "look", environment_of(servers.home), look, str(servers.home))
        wrong += at_rest(servers.home, expected) + looked.value()
    except (HungError, RuntimeError) as error:
        wrong = [str(error)]
    tally.add_at_end(wrong, f"{victim}, at the end of rounds {numbers.start} to {numbers.stop - 1}")


_OPERATIONS = "benchmark.trust.kills.operations"


class _Round:
    """One job, during which a part is killed and started again."""

    def __init__(self, servers: Servers, victim: str, collection: str, drawn: random.Random) -> None:
        self._servers = servers
        self._victim = victim
        self._collection = collection
        self._moment = drawn.uniform(0, JOB_S)
        marked = victim in MOST_CALLS and drawn.random() < 0.5 and unavailable() is None
        most = MOST_CALLS.get(victim, 1)
        self._mark = Mark(drawn.choice(MARKED_CALLS), drawn.randint(1, most)) if marked else None

    def run(self, tally: Tally, expected: Frames) -> None:
        """Do it and count it."""
        at = f"before {self._mark}" if self._mark else f"after {self._moment:.3f} s"
        where = f"{self._victim}, {self._collection}, killed {at}"
        killed, job_ids = self._strike()
        wrong = [text for job_id in job_ids for text in self._job_wrong(job_id)]
        if self._victim in ("decoder", "fork server"):
            # What the decoder was killed on failed, and says so: it is indexed when it is asked for again.
            wrong += self._job_wrong(self._submitted())
        found = frames_of(self._servers.home)
        if found != expected:
            wrong.append(f"{len(found)} frames in place of {len(expected)}, or with other codes")
        tally.add("marked" if self._mark else "random", killed, wrong, where)

    def _strike(self) -> tuple[bool, list[str]]:
        """Submit a job and kill; return whether the part was killed, and the jobs."""
        servers, victim = self._servers, self._victim
        if self._mark is None:
            job_id = self._submit()
            time.sleep(self._moment)
            killed = self._kill()
        else:
            out = servers.home.parent / "trace"
            tracer = Tracer(servers.pid(victim), out, self._mark, follow=True)
            job_id = self._submit()
            killed = servers.gone(victim, MARK_S)
            tracer.detach()
        if killed and victim in ("worker", "service", "broker"):
            servers.start(victim)
            if victim == "service":
                servers.wait_ready()
        # A client whose request broke asks again.
        return killed, [job_id or self._submitted()]

    def _kill(self) -> bool:
        if self._victim in ("worker", "service", "broker"):
            self._servers.kill(self._victim)
            return True
        decoders = decoders_of(self._servers.pid("worker"))
        found = decoders.children if self._victim == "decoder" else decoders.servers
        if not found:
            return False
        os.kill(found[0], signal.SIGKILL)
        return True

    def _submit(self) -> str | None:
        status, job = self._servers.call(
            "POST", "/api/v1/index-jobs", {"folder": "album", "collection": self._collection}
        )
        return str(job["job_id"]) if status == 202 else None

    def _submitted(self) -> str:
        job_id = self._submit()
        if job_id is None:
            raise HungError("the web server does not take jobs")
        return job_id

    def _job_wrong(self, job_id: str) -> list[str]:
        job = self._servers.finished(job_id)
        wrong = []
        if job.counts[ItemState.DEAD]:
            wrong.append(f"{job.counts[ItemState.DEAD]} files were given up")
        failed = self._servers.jobs.items(job_id, [ItemState.FAILED], 100)
        told = [item for item in failed if "decoder" in (item.reason or "")]
        allowed = self._victim in ("decoder", "fork server")
        if len(failed) - (len(told) if allowed else 0) != BAD_FILES:
            wrong.append(f"{len(failed)} files failed: {failed[-1].reason if failed else None}")
        return wrong
