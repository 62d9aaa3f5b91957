"""The PACS of the site, for who administers the archive."""

from __future__ import annotations

from flask import Blueprint

from hmar.errors import ForbiddenError
from hmar.wiring import Engine
from service.models.pacs import Pacs, PacsList
from service.operations.operation import operation
from service.operations.whole_archive import check_sees_all


def blueprint(engine: Engine) -> Blueprint:
    """Return the routes of PACS; ``engine`` is the whole one, for no key with collections may ask."""
    routes = Blueprint("pacs", __name__, url_prefix="/api/v1/pacs")

    @routes.get("")
    @operation(
        "listPacs",
        "The PACS of the site, and how far each is followed",
        tag="pacs",
        gives="PACS in order of name.",
        scope="admin",
        description="A key that is limited to collections is refused.",
        raises=(ForbiddenError,),
    )
    def listed() -> PacsList:
        check_sees_all("PACS")
        return PacsList(pacs=[Pacs.of(one.to_dict()) for one in engine.following.listed()])

    return routes
