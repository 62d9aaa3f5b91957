"""A view that is declared is asked with what it names, and answers with what it returns."""

from __future__ import annotations

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from service.models.archive import CollectionQuery, Series, SeriesList
from service.models.jobs import JobPath, JobTaken
from service.operations import checks
from service.operations.operation import Content, operation, operation_of


def listed(path: JobPath, query: CollectionQuery) -> tuple[SeriesList, JobTaken]:
    series = Series(
        study_uid="1",
        series_uid=path.job_id,
        collection=query.collection or "",
        modality="CT",
        body_part=None,
        study_date=None,
        frames=1,
        label=None,
        series_description=None,
        patient=None,
    )
    return SeriesList(series=[series]), JobTaken(location="/there")


def plain() -> Response:
    return Response("as it is", status=203)


@pytest.fixture
def app() -> Flask:
    app = Flask("test", static_folder=None)
    app.test_client_class = FlaskClient  # its answers are in no description
    checks.install(app)
    declare = operation("list", "A list", tag="archive", gives="It.", status=202)
    app.add_url_rule("/<job_id>", view_func=declare(listed))
    declare = operation("plain", "Plain", tag="page", gives=Content("It.", "text/plain"))
    app.add_url_rule("/", view_func=declare(plain), methods=["POST"])
    return app


def test_the_view_gets_path_and_query_and_its_model_and_headers_are_the_answer(app: Flask) -> None:
    answer = app.test_client().get("/7?collection=a")
    assert (answer.status_code, answer.headers["Location"]) == (202, "/there")
    [series] = answer.get_json()["series"]
    assert (series["series_uid"], series["collection"]) == ("7", "a")


def test_what_is_no_model_is_answered_as_it_is(app: Flask) -> None:
    answer = app.test_client().post("/")
    assert (answer.status_code, answer.text) == (203, "as it is")


def test_what_is_described_is_what_the_signature_says(app: Flask) -> None:
    declared = operation_of(app.view_functions["listed"])
    assert (declared.path, declared.query, declared.bodies) == (JobPath, CollectionQuery, ())
    assert declared.answers == {202: Content("It.", "application/json", SeriesList, JobTaken)}


def test_a_view_that_is_not_declared_is_no_operation() -> None:
    with pytest.raises(AttributeError):
        operation_of(plain)
