"""What pydantic refuses is said in the words of the API, and no patient or secret is repeated."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from hmar.errors import ParameterError
from service.models.deletions import Deletion
from service.models.jobs import FolderJob, ItemsQuery
from service.models.login import TokenForm
from service.models.pictures import DisplayWindow
from service.models.search_request import ImageQuery, RegionQuery
from service.operations.reading import validated

UID = {"sop_instance_uid": "1.2"}
ID = "GEHEIM-0815"


def refused(model: type[BaseModel], fields: dict[str, Any]) -> ParameterError:
    with pytest.raises(ParameterError) as error:
        validated(model, fields)
    return error.value


@pytest.mark.parametrize(
    ("model", "fields", "detail", "remedy"),
    [
        (ImageQuery, {}, "sop_instance_uid is None.", "Give the UID of an indexed instance, or send a file."),
        (ImageQuery, UID | {"k": 0}, "k is 0.", "Give a whole number from 1 to 1000."),
        (ImageQuery, UID | {"k": 1.5}, "k is 1.5.", "Give a whole number from 1 to 1000."),
        (ImageQuery, UID | {"k": True}, "k is True.", "Give a whole number from 1 to 1000."),
        (ImageQuery, UID | {"k": None}, "k is null.", "Give a value, or leave the field out."),
        (ImageQuery, UID | {"bits": 32}, "bits is 32.", "Give one of 64, 128."),
        (ImageQuery, UID | {"bits": 64.0}, "bits is 64.0.", "Give one of 64, 128."),
        (ImageQuery, UID | {"bits": True}, "bits is True.", "Give one of 64, 128."),
        (ImageQuery, UID | {"bits": "+64"}, "bits is '+64'.", "Give one of 64, 128."),
        (ImageQuery, UID | {"bits": 10**30}, f"bits is {10**30}.", "Give one of 64, 128."),
        (ImageQuery, UID | {"collection": 5, "kk": 1}, "There is no field 'kk'.", "Use "),
        (DisplayWindow, {"center": "40", "width": "400"}, "There is no field 'center'.", "Use "),
        (ImageQuery, UID | {"mode": "x"}, "mode is 'x'.", "Give one of global, local, auto."),
        (ImageQuery, UID | {"filters": []}, "filters is [].", "Give a JSON object."),
        (
            ImageQuery,
            UID | {"exclude": {"same": 1}},
            "exclude.same is 1.",
            "Give one of instance, series, study, patient.",
        ),
        (
            ImageQuery,
            UID | {"exclude": {"sam": 1}},
            "There is no exclude.'sam'.",
            "Use same, series_uids, study_uids, sop_instance_uids.",
        ),
        (
            ItemsQuery,
            {"state": "lost"},
            "state is 'lost'.",
            "Give one of queued, running, indexed, ",
        ),
        (FolderJob, {"folder": "a", "label": 7}, "label is 7.", "Give a text."),
        (FolderJob, {"folder": None}, "folder is null.", "Give a value, or leave the field out."),
        (FolderJob, {"folder": "a", "collection": None}, "collection is null.", "Give a value, or leave"),
        (Deletion, {"level": "a"}, "level is 'a'.", "Give one of instance, series, study, patient."),
        (Deletion, {}, "level is None.", "Give one of instance, series, study, patient."),
        (Deletion, {"level": "study"}, "uid is missing, or no text.", "Give uid as a text."),
        (
            Deletion,
            {"level": "study", "uid": "1", "patient_id": ID},
            "There is no field 'patient_id'.",
            "Use collection, level, uid.",
        ),
        (
            Deletion,
            {"level": "study", "uid": "1", "study": "2"},
            "There is no field 'study'.",
            "Use collection, level, uid.",
        ),
        (
            Deletion,
            {"level": "patient", "patient_id": ID, "uid": "1"},
            "There is no field 'uid'.",
            "Use collection, issuer, level, patient_id.",
        ),
    ],
)
def test_a_field_that_cannot_be_used_is_named_with_its_value_and_a_remedy(
    model: type[BaseModel], fields: dict[str, Any], detail: str, remedy: str
) -> None:
    error = refused(model, fields)
    assert error.detail == detail
    assert error.remedy.startswith(remedy)


def test_a_misspelt_field_is_named_and_not_the_one_that_it_stands_for() -> None:
    assert refused(RegionQuery, UID | {"regoin": [1, 2, 3, 4]}).detail == "There is no field 'regoin'."


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Deletion, {"level": "patient", "patient_id": [ID]}),
        (Deletion, {"level": "patient", "patient_id": {"id": ID}}),
        (Deletion, {"level": "patient", "patient_id": "1", "issuer": [ID]}),
        (Deletion, {"level": "study", "uid": [ID]}),
        (TokenForm, {"token": [ID]}),
    ],
)
def test_what_may_be_a_patient_or_a_secret_is_not_repeated_in_the_error_nor_its_cause(
    model: type[BaseModel], fields: dict[str, Any]
) -> None:
    error = refused(model, fields)
    for said in (str(error), repr(error), str(error.__cause__), repr(error.__cause__)):
        assert ID not in said


def test_a_model_of_a_patient_or_a_secret_does_not_show_it() -> None:
    deletion = validated(Deletion, {"level": "patient", "patient_id": ID, "issuer": ID})
    assert ID not in repr(deletion)
    assert ID not in repr(validated(TokenForm, {"token": ID}))
