"""The models of the archive: which there are, indexing under another one, and using it."""

from __future__ import annotations

from flask import Blueprint, Response

from hmar.errors import ConflictError, NotFoundError, shown
from hmar.values.models import ModelName
from hmar.wiring import Engine
from service.models.models import (
    Model,
    ModelList,
    ModelPath,
    Reindexing,
    ReindexingBegun,
    Using,
)
from service.operations.operation import Content, operation

_TAG = "models"
_ALL = "A key that is limited to collections may not: one model serves all of them."


def blueprint(engine: Engine) -> Blueprint:
    """Return the routes that move the archive to another model."""
    routes = Blueprint("models", __name__, url_prefix="/api/v1/models")

    @routes.get("")
    @operation(
        "listModels",
        "The models, and how far the archive is indexed under each",
        tag=_TAG,
        gives="Models: the used one, the next one, then the others by name.",
        scope="admin",
        description=f"All frames are gone through for it: ask from time to time. {_ALL}",
    )
    def listed() -> ModelList:
        return _models(engine)

    @routes.get("/<fingerprint>/card")
    @operation(
        "readModelCard",
        "The card of a model: data, protocol, figures, limits, intended use",
        tag=_TAG,
        gives=Content("The card.", "text/markdown"),
        scope="any",
        raises=(NotFoundError,),
    )
    def card(path: ModelPath) -> Response:
        return Response(engine.known_models.card(path.fingerprint), mimetype="text/markdown")

    @routes.post("/<fingerprint>/reindex")
    @operation(
        "reindexModel",
        "Index what the archive holds under another model, in the background",
        tag=_TAG,
        gives="The jobs that do it. They are followed, cancelled and retried as index jobs.",
        scope="admin",
        description=(
            "The files are read again from where they came. New frames are indexed under both models from "
            "now on, and searches use the old one until the other is used. Asked again, it goes on with what "
            f"is missing. {_ALL}"
        ),
        status=202,
        raises=(NotFoundError, ConflictError),
        examples={Reindexing.media_type: {"collections": ["default"]}},
    )
    def reindex(path: ModelPath, body: Reindexing) -> ReindexingBegun:
        engine.disk.check()
        begun = engine.reindexing.begin(_installed(engine, path.fingerprint), body.collections)
        return ReindexingBegun.of(begun.to_dict())

    @routes.post("/<fingerprint>/use")
    @operation(
        "useModel",
        "Let searches use a model, in one step",
        tag=_TAG,
        gives="The models, as they are now.",
        scope="admin",
        description=(
            "It is refused while frames are missing under the model, unless accept_missing allows that many. "
            "A server goes on with the model before until it has the new one's index, and tells so at "
            "/readyz. Each answer is of one model; cursors of the one before end. The model before is kept, "
            f"and is used again in the same way. {_ALL}"
        ),
        raises=(NotFoundError, ConflictError),
        examples={Using.media_type: {"accept_missing": 0}},
    )
    def use(path: ModelPath, body: Using) -> ModelList:
        engine.reindexing.use(_installed(engine, path.fingerprint), body.accept_missing)
        return _models(engine)

    return routes


def _installed(engine: Engine, fingerprint: str) -> ModelName:
    """Return an installed model by its whole fingerprint; raises NotFoundError."""
    for model in engine.known_models.listed():
        if model.fingerprint == fingerprint:
            return model
    raise NotFoundError(
        f"No model {shown(fingerprint)} is installed.",
        "See GET /api/v1/models. The operator installs one: hmar models install DIR",
    )


def _models(engine: Engine) -> ModelList:
    states = engine.reindexing.states(engine.known_models.listed())
    return ModelList(models=[Model.of(one.to_dict()) for one in states])
