"""Index jobs: POST /api/v1/index-jobs, and how far one is."""

from __future__ import annotations

from flask import Blueprint, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from hmar.errors import NotFoundError, ParameterError, shown
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState, Job
from hmar.wiring import Engine
from service.schemas import (
    DEFAULT_COLLECTION,
    collection_of,
    import_folder,
    json_object,
    known_fields,
    label_of,
    uploaded_files,
    whole_number,
)

FAILED_STATES = (ItemState.FAILED, ItemState.DEAD)
FAILURES_SHOWN = 50


def blueprint(engine: Engine) -> Blueprint:
    """Return the routes of index jobs."""
    routes = Blueprint("jobs", __name__, url_prefix="/api/v1/index-jobs")

    @routes.post("")
    def submit() -> ResponseReturnValue:
        job_id = _submit(engine)
        answer = jsonify(_job_answer(engine, job_id))
        return answer, 202, {"Location": url_for("jobs.show", job_id=job_id)}

    @routes.get("/<job_id>")
    def show(job_id: str) -> ResponseReturnValue:
        return jsonify(_job_answer(engine, job_id))

    @routes.get("/<job_id>/items")
    def items(job_id: str) -> ResponseReturnValue:
        _job(engine, job_id)
        limit = whole_number(request.args, "limit", 100, 1, 1000)
        after = whole_number(request.args, "after", 0, 0, 2**53)
        found = engine.jobs.items(job_id, _states(request.args.get("state")), limit, after)
        return jsonify(
            items=[item.to_dict() for item in found],
            next_after=found[-1].item_id if len(found) == limit else None,
        )

    return routes


def _submit(engine: Engine) -> str:
    if request.mimetype == "multipart/form-data":
        collection = collection_of(request.form, DEFAULT_COLLECTION) or DEFAULT_COLLECTION
        label = label_of(request.form)
        return engine.indexer.submit_files(collection, uploaded_files(request), label)
    fields = json_object(request)
    known_fields(fields, frozenset({"collection", "folder", "label"}))
    collection = collection_of(fields, DEFAULT_COLLECTION) or DEFAULT_COLLECTION
    origin = Origin("import", import_folder(fields))
    return engine.indexer.submit(collection, origin, label=label_of(fields))


def _job_answer(engine: Engine, job_id: str) -> dict[str, object]:
    job = _job(engine, job_id)
    return job.to_dict(engine.jobs.items(job_id, FAILED_STATES, FAILURES_SHOWN))


def _job(engine: Engine, job_id: str) -> Job:
    job = engine.jobs.job(job_id)
    if job is None:
        raise NotFoundError(f"There is no job {shown(job_id)}.", "Use the job_id that POST answered with.")
    return job


def _states(name: str | None) -> tuple[ItemState, ...]:
    if name is None:
        return tuple(ItemState)
    try:
        return (ItemState(name),)
    except ValueError as error:
        choices = ", ".join(state.value for state in ItemState)
        raise ParameterError(f"state is {shown(name)}.", f"Give one of {choices}.") from error
