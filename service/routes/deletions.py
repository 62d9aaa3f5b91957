"""Deleting: POST /api/v1/deletions. A patient id comes in a body, never in an address."""

from __future__ import annotations

from flask import Blueprint

from hmar.dicom.deidentify import PatientHasher
from hmar.errors import NotFoundError
from hmar.removal import nothing_matches, one_selector
from hmar.values.deletion import Selector
from hmar.wiring import Engine
from service.models.deletions import Deleted, Deletion, PatientDeletion, UidDeletion
from service.operations.operation import operation


def blueprint(engine: Engine) -> Blueprint:
    """Return the route that deletes."""
    routes = Blueprint("deletions", __name__, url_prefix="/api/v1/deletions")

    @routes.post("")
    @operation(
        "delete",
        "Delete an instance, a series, a study or a patient",
        tag="archive",
        gives="What was deleted.",
        scope="delete",
        description=(
            "All frames of it, of every model, from one collection or from all. They are not found any more "
            "when the answer comes. It cannot be undone."
        ),
        raises=(NotFoundError,),
        examples={
            Deletion.media_type: {"level": "series", "uid": "1.3.6.1.4.1.14519.5.2.1.1", "collection": None}
        },
    )
    def delete(body: Deletion) -> Deleted:
        asked = body.root
        selector = _selector(asked, PatientHasher(*engine.secrets.patient))
        extent = engine.remover.delete(selector, asked.collection).extent
        if not extent.frames:
            raise nothing_matches(selector)
        return Deleted.of({"level": selector.level, "collection": asked.collection, **extent.to_dict()})

    return routes


def _selector(asked: UidDeletion | PatientDeletion, hasher: PatientHasher) -> Selector:
    if isinstance(asked, PatientDeletion):
        return one_selector({}, True, hasher.key(asked.patient_id, asked.issuer))
    return one_selector({asked.level: asked.uid}, False, None)
