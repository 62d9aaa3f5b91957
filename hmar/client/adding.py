"""Sending files to be indexed, and waiting until they are."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, cast

from hmar.client.api import Api, read
from hmar.client.files import Addable, batches, files_of
from hmar.client.jobs import JOBS
from hmar.client.queries import given
from hmar.errors import DecodeError, UnavailableError
from hmar.values.added import Added, Failure, Progress
from hmar.values.jobs import FAULTY_ITEM_STATES, FINAL_ITEM_STATES, ItemState

FIRST_LOOK_S, LONGEST_LOOK_S = 0.05, 1.0
"""Pauses between two looks at a job: they grow from the first to the longest."""
PAGE = 1000
_NOT_ALL = FAULTY_ITEM_STATES | {ItemState.CANCELLED}
Told = dict[str, Any]


@dataclass(slots=True)
class _Outcome:
    """What became of the files so far."""

    indexed: int = 0
    unchanged: int = 0
    frames: int = 0
    done: int = 0
    failures: list[Failure] = field(default_factory=list)
    partial: list[Failure] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sender:
    """Indexes files through index jobs, one request after the other.

    Parameters
    ----------
    api : Api
    stalled_s : float
        A job of which nothing has ended for this long is given up waiting for.
    sleep, clock : callable
        Wait for some seconds, and return seconds that only grow.
    keep_names : bool
        Whether names of files are sent.
    """

    api: Api
    stalled_s: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    keep_names: bool = False

    def add(self, images: Addable, collection: str, label: str | None, progress: Progress) -> Added:
        """Index files; see :meth:`hmar.Client.add`."""
        files, skips = files_of(images)
        kept = "true" if self.keep_names else None
        fields = cast("dict[str, str]", given(collection=collection, label=label, keep_names=kept))
        outcome = _Outcome()
        for batch in batches(files, outcome.failures):
            self._send(batch, fields, outcome, lambda done: progress(done, len(files)))
        progress(len(files), len(files))
        return Added(
            outcome.indexed,
            outcome.unchanged,
            outcome.frames,
            tuple(outcome.failures),
            tuple(outcome.partial),
            tuple(skips),
        )

    def _send(
        self,
        batch: Sequence[tuple[str, bytes]],
        fields: dict[str, str],
        outcome: _Outcome,
        report: Callable[[int], None],
    ) -> None:
        """Index some files in one job, or in several if the server takes less at a time."""
        try:
            answer = self.api.post_files(
                JOBS,
                fields,
                [data for _, data in batch],
                uuid.uuid4().hex,
                names=[PurePath(name).name for name, _ in batch] if self.keep_names else None,
            )
        except DecodeError as error:
            if len(batch) == 1:
                outcome.failures.append(Failure(batch[0][0], str(error)))
                outcome.done += 1
                return
            middle = len(batch) // 2
            self._send(batch[:middle], fields, outcome, report)
            self._send(batch[middle:], fields, outcome, report)
            return
        job = self._ended(read(answer, _job), lambda done: report(outcome.done + done))
        names = defaultdict[str, list[str]](list)
        for name, data in batch:
            names[hashlib.sha256(data).hexdigest()].append(name)
        outcome.indexed += job["counts"][ItemState.INDEXED]
        outcome.unchanged += job["counts"][ItemState.UNCHANGED]
        outcome.frames += job["frames"]
        outcome.done += len(batch)
        for item in self._faulty(job):
            part = outcome.partial if item["state"] == ItemState.PARTIAL else outcome.failures
            part += [Failure(name, item["reason"]) for name in names.pop(item["reference"], ())]
        # Files of the same bytes are one item of a job: the first counts there, the others change nothing.
        outcome.unchanged += sum(len(same) - 1 for same in names.values())

    def _ended(self, job: Told, report: Callable[[int], None]) -> Told:
        """Wait for a job's end, and return it; raises UnavailableError if nothing happens to it."""
        pause_s, seen, since = FIRST_LOOK_S, _done(job), self.clock()
        while not job["finished"]:
            if self.clock() - since > self.stalled_s:
                raise UnavailableError(
                    f"Nothing has happened to index job {job['job_id']} for {self.stalled_s:g} s.",
                    "It goes on when a worker runs: the operator runs 'hmar doctor'.",
                )
            self.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_LOOK_S)
            job = read(self.api.get(f"{JOBS}/{job['job_id']}"), _job)
            if (done := _done(job)) != seen:
                seen, since = done, self.clock()
                report(done)
        return job

    def _faulty(self, job: Told) -> Iterator[Told]:
        """Yield the files of a job of which not all is indexed."""
        for state in sorted(_NOT_ALL):
            after = 0 if job["counts"][state] else None
            while after is not None:
                query = {"state": state.value, "limit": PAGE, "after": after}
                page = read(self.api.get(f"{JOBS}/{job['job_id']}/items", query), _page)
                yield from page["items"]
                after = page["next_after"]


def _job(told: Told) -> Told:
    """Return a job as told, once it is known to be one."""
    return {name: told[name] for name in ("job_id", "finished", "frames", "counts")}


def _page(told: Told) -> Told:
    return {name: told[name] for name in ("items", "next_after")}


def _done(job: Told) -> int:
    return sum(int(job["counts"][state]) for state in FINAL_ITEM_STATES)
