"""Index jobs of an archive of this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hmar.adapters.memory import InlineQueue
from hmar.config import IN_MEMORY, Settings
from hmar.errors import ConflictError, NotFoundError
from hmar.library import jobs as library_jobs
from hmar.library.jobs import ArchiveJobs
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState, JobState
from hmar.wiring import Engine, build_engine


@pytest.fixture
def engine() -> Iterator[Engine]:
    """An archive in memory whose messages nobody takes."""
    engine = build_engine(Settings(database_url=IN_MEMORY).checked(), ThumbnailEncoder(), InlineQueue())
    yield engine
    engine.close()


def create(engine: Engine, files: int, collection: str = "default") -> str:
    return engine.jobs.create(collection, Origin("import", ""), [f"{number}.dcm" for number in range(files)])


def test_jobs_and_files_are_listed_whole_page_after_page(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_jobs, "PAGE", 2)
    listed = ArchiveJobs(engine)
    created = [create(engine, 5) for _ in range(5)]
    assert {job.job_id for job in listed.jobs()} == set(created)
    assert len(list(listed.jobs())) == 5
    assert [item.origin.reference for item in listed.items(created[0])] == [f"{n}.dcm" for n in range(5)]
    assert list(listed.items(created[0], ItemState.FAILED)) == []
    other = create(engine, 1, "other")
    assert [job.job_id for job in listed.jobs(collection="other")] == [other]
    assert list(listed.jobs(JobState.DONE)) == []


def test_a_job_is_cancelled_and_followed_to_its_end(engine: Engine) -> None:
    listed, job_id = ArchiveJobs(engine), create(engine, 2)
    followed = listed.follow(job_id)
    assert next(followed).job.total == 2
    assert listed.cancel(job_id).state is JobState.CANCELLED
    [last] = ArchiveJobs(engine).follow(job_id)
    assert (last.job.finished, last.seconds_left) == (True, 0.0)
    with pytest.raises(ConflictError):
        listed.retry(job_id)


def test_a_job_that_is_not_there_is_an_error(engine: Engine) -> None:
    listed = ArchiveJobs(engine)
    for ask in (listed.job, listed.cancel, listed.retry):
        with pytest.raises(NotFoundError, match="'nowhere'"):
            ask("nowhere")
    for follow in (listed.items, listed.follow):
        with pytest.raises(NotFoundError, match="'nowhere'"):
            next(follow("nowhere"))  # type: ignore[call-overload]
