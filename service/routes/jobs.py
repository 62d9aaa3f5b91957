"""Index jobs: POST /api/v1/index-jobs, and how far one is."""

from __future__ import annotations

from flask import Blueprint, url_for

from hmar.errors import DecodeError, NotFoundError, shown
from hmar.values.entries import Origin
from hmar.values.jobs import FAULTY_ITEM_STATES, ItemState
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
    JobTaken,
)
from service.operations.operation import operation

_TAG = "index jobs"


def blueprint(engine: Engine) -> Blueprint:
    """Return the routes of index jobs."""
    routes = Blueprint("jobs", __name__, url_prefix="/api/v1/index-jobs")

    @routes.post("")
    @operation(
        "createIndexJob",
        "Index a folder of the server, or files sent along",
        tag=_TAG,
        gives="The job was taken.",
        scope="index",
        description=(
            "A frame that is indexed already stays as it is. One bad file never stops a job; the reason is "
            "kept on its item. Of a file with bad frames the others are indexed. Another image under the SOP "
            "Instance UID of one that is indexed fails, unless HMAR_SAME_UID says otherwise."
        ),
        status=202,
        raises=(DecodeError,),
        examples={FolderJob.media_type: {"folder": "2026/november", "collection": "default"}},
    )
    def submit(body: FolderJob | FilesJob) -> tuple[Job, JobTaken]:
        job_id = _submit(engine, body)
        return _job(engine, job_id), JobTaken(location=url_for("jobs.show", job_id=job_id))

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
        _job(engine, path.job_id)
        states = tuple(ItemState) if query.state is None else (query.state,)
        found = engine.jobs.items(path.job_id, states, query.limit, query.after)
        return ItemsPage(
            items=[Item.of(item.to_dict()) for item in found],
            next_after=found[-1].item_id if len(found) == query.limit else None,
        )

    return routes


def _submit(engine: Engine, asked: FolderJob | FilesJob) -> str:
    engine.disk.check()
    if isinstance(asked, FilesJob):
        return engine.indexer.submit_files(asked.collection, asked.file, asked.label)
    return engine.indexer.submit(asked.collection, Origin("import", asked.folder), label=asked.label)


def _job(engine: Engine, job_id: str) -> Job:
    job = engine.jobs.job(job_id)
    if job is None:
        raise NotFoundError(f"There is no job {shown(job_id)}.", "Use the job_id that POST answered with.")
    return Job.of(job.to_dict(engine.jobs.items(job_id, FAULTY_ITEM_STATES, FAILURES_SHOWN)))
