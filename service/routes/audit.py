"""The audit log, for who administers the archive."""

from __future__ import annotations

from flask import Blueprint

from hmar.errors import ForbiddenError
from hmar.wiring import Engine
from service.models.audit import AuditPage, AuditQuery, AuditRow
from service.operations.operation import operation
from service.operations.whole_archive import check_sees_all


def blueprint(engine: Engine) -> Blueprint:
    """Return the route of the audit log; ``engine`` is the whole one, for no key with collections may ask."""
    routes = Blueprint("audit", __name__, url_prefix="/api/v1/audit")

    @routes.get("")
    @operation(
        "listAudit",
        "The audit log, newest first, page by page",
        tag="keys",
        gives="Accesses, granted and denied.",
        scope="admin",
        description=(
            "Whose data was given is told as a number alone. POST /api/v1/archive/verifications verifies the "
            "chain of the rows. A key that is limited to collections is refused."
        ),
        raises=(ForbiddenError,),
    )
    def listed(query: AuditQuery) -> AuditPage:
        check_sees_all("the rows of the audit log")
        found = engine.audit_log.newest(query.wanted, query.after, query.limit)
        return AuditPage(
            rows=[AuditRow.of(row.to_listed()) for row in found],
            next_after=found[-1].seq if len(found) == query.limit else None,
        )

    return routes
