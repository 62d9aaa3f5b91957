"""Index jobs: POST /api/v1/index-jobs, and how far one is."""

from __future__ import annotations

from flask import Blueprint, g, url_for

from hmar.errors import ConflictError, DecodeError, NotFoundError, shown
from hmar.values.jobs import FAULTY_ITEM_STATES, ItemState, JobRequest, JobState
from hmar.values.jobs import Job as KnownJob
from hmar.wiring import Engine
from service.models.jobs import (
    FAILURES_SHOWN,
    FilesJob,
    FolderJob,
    Item,
    ItemsPage,
    ItemsQuery,
    Job,
    JobPath,
    JobsPage,
    JobsQuery,
    JobTaken,
    ListedJob,
)
from service.models.repeatable import Repeatable
from service.operations.operation import Content, operation
from service.repeated import job_request

_TAG = "index jobs"


def blueprint(engine: Engine) -> Blueprint:
    """Return the routes of index jobs."""
    routes = Blueprint("jobs", __name__, url_prefix="/api/v1/index-jobs")

    @routes.post("")
    @operation(
        "createIndexJob",
        "Index a folder of the server, what a PACS has, or files sent along",
        tag=_TAG,
        gives="The job was taken.",
        scope="index",
        description=(
            "A frame that is indexed already stays as it is. One bad file never stops a job; the reason is "
            "kept on its item. Of a file with bad frames the others are indexed. Another image under the SOP "
            "Instance UID of one that is indexed fails, unless HMAR_SAME_UID says otherwise."
        ),
        status=202,
        also={200: Content("The same request has taken this job before.", "application/json", Job, JobTaken)},
        raises=(DecodeError, ConflictError, NotFoundError),
        examples={FolderJob.media_type: {"folder": "2026/november", "collection": "default"}},
    )
    def submit(headers: Repeatable, body: FolderJob | FilesJob) -> tuple[Job, JobTaken, int]:
        request = job_request(headers.idempotency_key, g.access.identity.name, body)
        known = None if request is None else engine.jobs.asked_before(request)
        job_id = _submit(engine, body, request)
        status = 200 if job_id == known else 202
        return _job(engine, job_id), JobTaken(location=url_for("jobs.show", job_id=job_id)), status

    @routes.get("")
    @operation(
        "listIndexJobs",
        "The jobs, newest first, page by page",
        tag=_TAG,
        gives="Jobs without their files.",
        scope="index",
        raises=(NotFoundError,),
    )
    def listed(query: JobsQuery) -> JobsPage:
        if query.after is not None:
            known_job(engine, query.after)
        states = tuple(JobState) if query.state is None else (query.state,)
        found = engine.jobs.listed(states, query.limit, query.after, query.collection)
        return JobsPage(
            jobs=[ListedJob.of(job.summary()) for job in found],
            next_after=found[-1].job_id if len(found) == query.limit else None,
        )

    @routes.get("/<job_id>")
    @operation(
        "readIndexJob",
        "How far a job is, and the first 50 files that failed, as a whole or in part",
        tag=_TAG,
        gives="The job.",
        scope="index",
        raises=(NotFoundError,),
    )
    def show(path: JobPath) -> Job:
        return _job(engine, path.job_id)

    @routes.get("/<job_id>/items")
    @operation(
        "listIndexJobItems",
        "The files of a job, page by page",
        tag=_TAG,
        gives="Items in order of id.",
        scope="index",
        raises=(NotFoundError,),
    )
    def items(path: JobPath, query: ItemsQuery) -> ItemsPage:
        known_job(engine, path.job_id)
        states = tuple(ItemState) if query.state is None else (query.state,)
        found = engine.jobs.items(path.job_id, states, query.limit, query.after)
        return ItemsPage(
            items=[Item.of(item.to_dict()) for item in found],
            next_after=found[-1].item_id if len(found) == query.limit else None,
        )

    @routes.post("/<job_id>/cancel")
    @operation(
        "cancelIndexJob",
        "End a job before its time",
        tag=_TAG,
        gives="The job. It is finished once the files that were in hand have ended.",
        scope="index",
        description=(
            "Files that wait are not tried any more; what is indexed stays. A job that has ended stays as it "
            "is."
        ),
        raises=(NotFoundError,),
    )
    def cancel(path: JobPath) -> Job:
        known_job(engine, path.job_id)
        engine.indexer.cancel(path.job_id)
        return _job(engine, path.job_id)

    @routes.post("/<job_id>/retry")
    @operation(
        "retryIndexJob",
        "Index again what failed of a folder, or list a folder that could not be listed",
        tag=_TAG,
        gives="The job, which goes on.",
        scope="index",
        description=(
            "Files that failed or were given up are tried again. Files that were sent are not kept when they "
            "fail: send those again, as a new job."
        ),
        raises=(NotFoundError, ConflictError),
    )
    def retry(path: JobPath) -> Job:
        known_job(engine, path.job_id)
        engine.indexer.retry(path.job_id)
        return _job(engine, path.job_id)

    return routes


def _submit(engine: Engine, asked: FolderJob | FilesJob, request: JobRequest | None) -> str:
    engine.disk.check()
    if isinstance(asked, FolderJob):
        if asked.pacs is not None:
            engine.pacs.require(asked.pacs.name)
        return engine.indexer.submit(asked.collection, asked.origin, label=asked.label, request=request)
    contents = [file.content for file in asked.file]
    names = [file.name for file in asked.file] if asked.keep_names else None
    return engine.indexer.submit_files(asked.collection, contents, asked.label, names, request)


def known_job(engine: Engine, job_id: str) -> KnownJob:
    """Return a job that is there; raises NotFoundError."""
    job = engine.jobs.job(job_id)
    if job is None:
        raise NotFoundError(f"There is no job {shown(job_id)}.", "Use the job_id that POST answered with.")
    return job


def _job(engine: Engine, job_id: str) -> Job:
    job = known_job(engine, job_id)
    return Job.of(job.to_dict(engine.jobs.items(job_id, FAULTY_ITEM_STATES, FAILURES_SHOWN)))
