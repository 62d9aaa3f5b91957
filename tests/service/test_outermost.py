"""Whatever happens inside, a request gets an answer."""

from __future__ import annotations

import http.client
import json
import logging
import threading

import pytest
from flask import Flask

from service.edge.bounds import Bounds
from service.outermost import outermost
from service.server import make_server
from tests.phantoms import PATIENT_NAME
from tests.service.conftest import Archive


class PanicError(BaseException):
    """Like the panic of a library written in Rust."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", [PanicError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_passes_the_application_is_answered_with_a_problem(
    kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    app = Flask("broken")
    app.config["MAX_CONTENT_LENGTH"] = 1000
    app.wsgi_app = outermost(app.wsgi_app)  # type: ignore[method-assign, assignment]

    @app.get("/")
    def broken() -> str:
        raise kind(PATIENT_NAME)

    server = make_server(app, "127.0.0.1", 0, Bounds(threads=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        with caplog.at_level(logging.ERROR):
            for _ in range(2):  # the second by the same thread, which has survived
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
                connection.request("GET", "/")
                answer = connection.getresponse()
                body = json.loads(answer.read())
                connection.close()
                assert (answer.status, body["status"]) == (500, 500)
                assert answer.headers["Content-Type"] == "application/problem+json"
                assert body["type"] == "/problems/internal-error"
                error_id = body["detail"].partition("(error ")[2].strip(").")
                assert f"{error_id}: {kind.__name__}" in caplog.text
        assert PATIENT_NAME not in caplog.text
    finally:
        server.stop()
        thread.join(30)


def test_the_product_has_it_around_its_application(empty_archive: Archive) -> None:
    @empty_archive.app.before_request
    def broken() -> None:
        raise PanicError

    answer = empty_archive.app.test_client().get("/healthz")
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
