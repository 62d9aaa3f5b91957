"""What the archive holds: collections in numbers, studies, and one instance."""

from __future__ import annotations

from flask import Blueprint

from hmar.errors import NotFoundError, shown
from hmar.wiring import Engine
from service.models.archive import CollectionQuery, Series
from service.models.holdings import (
    CollectionList,
    CollectionNumbers,
    Instance,
    InstanceFrame,
    InstancePath,
    OneStudy,
    StudiesPage,
    StudiesQuery,
    Study,
    StudyPath,
)
from service.operations.operation import operation

_TAG = "archive"


def blueprint(engine: Engine) -> Blueprint:
    """Return the routes that tell what is indexed."""
    routes = Blueprint("archive", __name__, url_prefix="/api/v1")

    @routes.get("/collections")
    @operation(
        "listCollections",
        "The collections in numbers",
        tag=_TAG,
        gives="Collections in order of name.",
        scope="search",
        description="All frames are gone through for it: ask from time to time.",
    )
    def collections(query: CollectionQuery) -> CollectionList:
        counted = engine.catalogue.collections(engine.encoder.fingerprint, query.collection)
        return CollectionList(collections=[CollectionNumbers.of(one.to_dict()) for one in counted])

    @routes.get("/studies")
    @operation(
        "listStudies",
        "The indexed studies, page by page",
        tag=_TAG,
        gives="Studies in order of collection and UID.",
        scope="search",
    )
    def studies(query: StudiesQuery) -> StudiesPage:
        found = engine.catalogue.studies(
            engine.encoder.fingerprint, query.collection, None, query.offset, query.limit
        )
        return StudiesPage(
            studies=[Study.of(one.to_dict()) for one in found.studies],
            next_offset=query.offset + query.limit if found.more else None,
        )

    @routes.get("/studies/<study_uid>")
    @operation(
        "readStudy",
        "A study with its series",
        tag=_TAG,
        gives="The study, of the first collection that holds it where none is named.",
        scope="search",
        raises=(NotFoundError,),
    )
    def study(path: StudyPath, query: CollectionQuery) -> OneStudy:
        found = engine.catalogue.studies(engine.encoder.fingerprint, query.collection, path.study_uid).studies
        if not found:
            raise NotFoundError(
                f"Study {shown(path.study_uid)} is not indexed.",
                "See GET /api/v1/studies for those that are.",
            )
        return OneStudy(
            study=Study.of(found[0].to_dict()),
            series=[Series.of(series.to_dict()) for series in found[0].series],
        )

    @routes.get("/instances/<sop_instance_uid>")
    @operation(
        "readInstance",
        "What is known of the frames of an instance",
        tag=_TAG,
        gives="The instance, of the first collection that holds it where none is named.",
        scope="search",
        raises=(NotFoundError,),
    )
    def instance(path: InstancePath, query: CollectionQuery) -> Instance:
        uid = path.sop_instance_uid
        found = engine.catalogue.find(uid, engine.encoder.fingerprint, query.collection)
        if not found:
            raise NotFoundError(
                f"Instance {shown(uid)} is not indexed.", "Index it first (POST /api/v1/index-jobs)."
            )
        collection = min(entry.collection for entry in found)
        frames = [entry.info for entry in found if entry.collection == collection]
        return Instance(
            sop_instance_uid=uid,
            collection=collection,
            frames=[InstanceFrame.of(info.to_dict()) for info in frames],
        )

    return routes
