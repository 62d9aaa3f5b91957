"""GET /api/v1/changes: what was indexed and deleted, for who keeps up with the archive."""

from __future__ import annotations

from flask import Blueprint

from hmar.errors import ConflictError
from hmar.wiring import Engine
from service.models.changes import Change, ChangesPage, ChangesQuery
from service.operations.operation import operation


def blueprint(engine: Engine) -> Blueprint:
    """Return the route of changes."""
    routes = Blueprint("changes", __name__, url_prefix="/api/v1/changes")

    @routes.get("")
    @operation(
        "listChanges",
        "What was indexed and deleted, in the order in which it happened",
        tag="archive",
        gives="The next changes.",
        scope="search",
        description=(
            "Frame by frame, of every model. No change comes before one that was told. A frame that is "
            "replaced is a delete and an add."
        ),
        raises=(ConflictError,),
    )
    def changes(query: ChangesQuery) -> ChangesPage:
        if query.after > engine.catalogue.last_seq():
            raise ConflictError(
                f"after is {query.after}, beyond the log's end: it was restored from an older copy.",
                "Begin again, with after=0.",
            )
        found = engine.catalogue.changes(query.after, query.limit, query.collection)
        return ChangesPage(
            changes=[Change.of(one.to_dict()) for one in found.changes], next_after=found.last_seq
        )

    return routes
