"""GET /api/v1/index-jobs/{job_id}/events: a job is told of while it runs."""

from __future__ import annotations

from flask import Blueprint, Response, g, request

from hmar.errors import NotFoundError
from service.following import STEP_S, events
from service.models.jobs import JobPath
from service.narrowed import NarrowedEngine
from service.operations.operation import Content, operation
from service.problem_table import EDGE_PROBLEMS
from service.problems import problem_response
from service.routes.jobs import known_job
from service.streams import Streams, paced


def blueprint(engine: NarrowedEngine, streams: Streams) -> Blueprint:
    """Return the route by which a job is followed."""
    routes = Blueprint("job_events", __name__, url_prefix="/api/v1/index-jobs")

    @routes.get("/<job_id>/events")
    @operation(
        "followIndexJob",
        "The progress of a job while it runs, as server-sent events",
        tag="index jobs",
        gives=Content(
            "Events named `progress`: the job as the list has it, with `seconds_left`, a number or null. In "
            "each second without news a comment. The last event is that of the finished job; after ten "
            "minutes the stream ends without it, to be asked for again.",
            "text/event-stream",
        ),
        scope="index",
        raises=(NotFoundError,),
    )
    def follow(path: JobPath) -> Response:
        known_job(engine, path.job_id)
        end = streams.enter(g.access.identity.name)
        if end is None:
            refused = problem_response(
                EDGE_PROBLEMS[503],
                "As many jobs are followed as the server takes, or as one key or login may follow.",
                "Ask for the job itself from time to time, or raise HMAR_WEB_STREAMS.",
            )
            refused.headers["Retry-After"] = "5"
            return refused
        jobs = engine.held().jobs
        told = events(lambda: jobs.job(path.job_id), paced(request.environ, STEP_S))
        response = Response(told, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
        response.call_on_close(end)
        return response

    return routes
