"""The check of answers finds what is planted: an answer that the description does not promise."""

from __future__ import annotations

from functools import wraps

import pytest
from flask import Flask, jsonify
from jsonschema import ValidationError

from tests.service.contract import described_app

SERIES = "/api/v1/series"


@pytest.fixture
def app() -> Flask:
    app = described_app()
    app.before_request_funcs[None] = app.before_request_funcs[None][:1]  # no key is asked for
    return app


def planted(app: Flask, endpoint: str, body: object, *answer: object) -> None:
    """Answer so in place of what a route answers; its operation stays what it is."""

    @wraps(app.view_functions[endpoint])
    def view(**_in_path: object) -> tuple[object, ...]:
        return (jsonify(body), *(answer or (200,)))

    app.view_functions[endpoint] = view  # type: ignore[assignment]


def test_an_answer_as_promised_passes(app: Flask) -> None:
    planted(app, "browse.series", {"series": []})
    assert app.test_client().get(SERIES).status_code == 200


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (({"series": []}, 201), "201: the status is not described"),
        (({"series": []}, 200, {"Content-Type": "text/html"}), "text/html is not described"),
    ],
)
def test_another_status_or_media_type_fails(app: Flask, answer: tuple[object, ...], named: str) -> None:
    planted(app, "browse.series", *answer)
    with pytest.raises(AssertionError, match=named):
        app.test_client().get(SERIES)


@pytest.mark.parametrize("body", [{}, {"series": {}}, {"series": [], "more": 1}, {"series": [{"frames": 0}]}])
def test_another_body_fails(app: Flask, body: object) -> None:
    planted(app, "browse.series", body)
    with pytest.raises(ValidationError):
        app.test_client().get(SERIES)


def test_a_header_that_is_missing_fails(app: Flask) -> None:
    planted(app, "browse.image", {}, 200, {"Content-Type": "image/png"})
    with pytest.raises(AssertionError, match="X-HMAR-Rows is missing"):
        app.test_client().get("/api/v1/instances/1/frames/1/image")


def test_a_problem_with_another_status_than_it_says_fails(app: Flask) -> None:
    body = {
        "type": "/problems/not-found",
        "title": "",
        "status": 400,
        "detail": "",
        "remedy": "",
        "request_id": "a",
    }
    planted(app, "jobs.show", body, 404, {"Content-Type": "application/problem+json"})
    with pytest.raises(AssertionError):
        app.test_client().get("/api/v1/index-jobs/1")
