"""Index jobs of a server: listed, followed, cancelled and tried again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote

from hmar.client.api import Api, read
from hmar.client.queries import given
from hmar.errors import UnavailableError
from hmar.pauses import Pauses
from hmar.values.jobs import Item, ItemState, Job, JobProgress, JobState
from hmar.values.pulls import Pull

JOBS = "/api/v1/index-jobs"
PAGE = 1000
_DATA = b"data:"


class ClientJobs:
    """The index jobs of a server. :class:`hmar.Client` has them.

    Parameters
    ----------
    api : Api
        What is asked.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def jobs(self, state: JobState | None = None, collection: str | None = None) -> Iterator[Job]:
        """Yield the index jobs, newest first: all, or those in one state or of one collection."""
        wanted = given(state=state, collection=collection)
        after: str | None = None
        while True:
            query = given(**wanted, limit=PAGE, after=after)
            jobs, after = read(self._api.get(JOBS, cast("dict[str, str | int]", query)), _jobs)
            yield from jobs
            if after is None:
                return

    def job(self, job_id: str) -> Job:
        """Return how far a job is; raises NotFoundError if there is none."""
        return read(self._api.get(_path(job_id)), Job.from_dict)

    def items(self, job_id: str, state: ItemState | None = None) -> Iterator[Item]:
        """Yield the files of a job, or those in one state, in order of their ids."""
        collection = self.job(job_id).collection
        after: int | None = 0
        while after is not None:
            query = given(state=state, limit=PAGE, after=after)
            told = self._api.get(f"{_path(job_id)}/items", cast("dict[str, str | int]", query))
            found, after = read(
                told,
                lambda page: (
                    [Item.from_dict(one, job_id, collection) for one in page["items"]],
                    page["next_after"],
                ),
            )
            yield from found

    def pull(self, wanted: Pull, collection: str = "default", label: str | None = None) -> Job:
        """Let the server index what is wanted of a PACS, and return the job; see :meth:`follow`.

        Raises
        ------
        ForbiddenError
            If the key is limited to collections.
        NotFoundError
            If the server knows no PACS of that name.
        """
        of_pacs = given(
            name=wanted.site,
            modality=wanted.modality,
            since=wanted.since and wanted.since.isoformat(),
            until=wanted.until and wanted.until.isoformat(),
            study_uid=wanted.study_uid,
            series_uid=wanted.series_uid,
        )
        told = self._api.post(
            JOBS, {"pacs": of_pacs, **given(collection=collection, label=label)}, repeatable=False
        )
        return read(told, Job.from_dict)

    def cancel(self, job_id: str) -> Job:
        """End a job before its time, and return it; what is indexed stays. Raises NotFoundError."""
        return read(self._api.post(f"{_path(job_id)}/cancel"), Job.from_dict)

    def retry(self, job_id: str) -> Job:
        """Index again what failed of a folder's job, and return the job, which goes on.

        Raises
        ------
        NotFoundError
            If there is no such job.
        ConflictError
            If it was cancelled, or is over files that were sent.
        """
        return read(self._api.post(f"{_path(job_id)}/retry"), Job.from_dict)

    def follow(self, job_id: str) -> Iterator[JobProgress]:
        """Yield the progress of a job as it goes on, until it has ended.

        The server tells of it by itself. Where the connection breaks, it is asked again a few times.

        Raises
        ------
        NotFoundError
            If there is no such job.
        UnavailableError
            If the server does not answer any more.
        """
        pauses, attempt = Pauses(), 1
        while True:
            try:
                for progress in self._events(job_id):
                    attempt = 1
                    yield progress
                    if progress.job.finished:
                        return
            except UnavailableError:
                if not pauses.wait(attempt, None):
                    raise
                attempt += 1

    def _events(self, job_id: str) -> Iterator[JobProgress]:
        told = False
        with self._api.lines(f"{_path(job_id)}/events") as lines:
            for line in lines:
                if line.startswith(_DATA):
                    yield read(line[len(_DATA) :], JobProgress.from_dict)
                    told = True
        if not told:
            raise UnavailableError(
                "The server's answer tells of no progress, and cannot be read.",
                "Check that the address is that of HMAR search.",
            )


def _path(job_id: str) -> str:
    return f"{JOBS}/{quote(job_id, safe='')}"


def _jobs(told: Mapping[str, Any]) -> tuple[list[Job], str | None]:
    return [Job.from_dict(one) for one in told["jobs"]], told["next_after"]
