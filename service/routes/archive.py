"""What the archive holds: collections in numbers, studies, and one instance."""

from __future__ import annotations

from flask import Blueprint

from hmar.errors import ConflictError, NotFoundError, shown
from hmar.patients import key_of
from hmar.values.collections import nothing_in
from hmar.values.listed_patients import PatientHandles
from hmar.values.models import Coverage, ModelName
from hmar.values.plain import Json
from hmar.values.studies import StudyInfo
from hmar.values.wanted_studies import WantedStudies
from hmar.wiring import Engine
from service.listing import listed_series
from service.models.archive import CollectionQuery
from service.models.holdings import (
    CollectionList,
    CollectionNumbers,
    Instance,
    InstanceFrame,
    InstancePath,
    OneStudy,
    Patient,
    PatientsPage,
    PatientsQuery,
    StudiesPage,
    StudiesQuery,
    Study,
    StudyPath,
    StudyPatient,
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
        return CollectionList(collections=_in_numbers(engine, query.collection))

    @routes.get("/patients")
    @operation(
        "listPatients",
        "The patients, page by page",
        tag=_TAG,
        gives="Patients by handles.",
        scope="search",
        description="Of a patient no id leaves the archive: a handle stands for it, the same until the "
        "site's secret changes. Studies without a patient id are of none. Ask for one's studies with GET "
        "/api/v1/studies?patient=.",
    )
    def patients(query: PatientsQuery) -> PatientsPage:
        found = engine.catalogue.patient_list(
            engine.encoder.fingerprint, query.collection, query.offset, query.limit
        )
        handles = PatientHandles(engine.secrets.handles)
        return PatientsPage(
            patients=[Patient.of(handles.listed(one).to_dict()) for one in found.patients],
            next_offset=query.offset + query.limit if found.more else None,
        )

    @routes.get("/studies")
    @operation(
        "listStudies",
        "The indexed studies, page by page",
        tag=_TAG,
        gives="Studies in order.",
        scope="search",
        description="A study is listed if everything that is asked for is true of one of its series.",
        raises=(NotFoundError,),
    )
    def studies(query: StudiesQuery) -> StudiesPage:
        found = engine.catalogue.studies(
            engine.encoder.fingerprint, query.collection, _wanted(engine, query), query.offset, query.limit
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
        found = _study(engine, path.study_uid, query.collection)
        return OneStudy(
            study=Study.of(found.to_dict()),
            series=listed_series(found.series, engine.secrets),
        )

    @routes.get("/studies/<study_uid>/patient")
    @operation(
        "readStudyPatient",
        "Who the patient of a study is, from the PACS that HMAR_SHOW_NAMES names",
        tag=_TAG,
        gives="Name, id and date of birth; kept nowhere.",
        scope="names",
        description="Asked of the PACS for this request. 404 also where the site shows no names, 409 where "
        "the images do not have the patient id that the PACS has.",
        raises=(NotFoundError, ConflictError),
    )
    def patient(path: StudyPath, query: CollectionQuery) -> StudyPatient:
        held = _study(engine, path.study_uid, query.collection)
        keys = {one.patient_key for one in held.series if one.patient_key is not None}
        named = engine.patient_names.of(path.study_uid, keys)
        return StudyPatient.of({**named.to_dict(), "pacs": engine.settings.show_names})

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


def _study(engine: Engine, study_uid: str, collection: str | None) -> StudyInfo:
    """Return a study, of the first collection that holds it where none is named; raises NotFoundError."""
    found = engine.catalogue.studies(engine.encoder.fingerprint, collection, WantedStudies(study_uid)).studies
    if not found:
        raise NotFoundError(
            f"Study {shown(study_uid)} is not indexed.", "See GET /api/v1/studies for those that are."
        )
    return found[0]


def _wanted(engine: Engine, query: StudiesQuery) -> WantedStudies:
    key = None
    if query.patient is not None:
        handles = PatientHandles(engine.secrets.handles)
        key = key_of(query.patient, handles, engine.catalogue, engine.encoder.fingerprint, query.collection)
    return WantedStudies(None, key, query.modality, query.body_part, query.since, query.until, query.order)


def _in_numbers(engine: Engine, collection: str | None) -> list[CollectionNumbers]:
    """Return the collections in order of name; one that other models alone have indexed is empty."""
    used, following = engine.serving.encoder, engine.models.roles().next
    covered = engine.models.coverage(used.fingerprint, collection)
    ahead = {} if following is None else engine.models.coverage(following.fingerprint, collection)
    counted = {one.collection: one for one in engine.catalogue.collections(used.fingerprint, collection)}
    name = ModelName(used.fingerprint, used.name)
    return [
        CollectionNumbers.of(
            {
                **counted.get(each, nothing_in(each)).to_dict(),
                "model": _model(name, held),
                "next_model": _model(following, ahead[each]) if following and each in ahead else None,
            }
        )
        for each, held in covered.items()
    ]


def _model(model: ModelName, held: Coverage) -> Json:
    return {**model._asdict(), "frames": held.indexed, "missing_frames": held.missing}
