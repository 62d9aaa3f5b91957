"""Requests that are refused for want of room come again, and every failure is one of the library's errors."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import urllib3

import hmar
from hmar.client.api import Api, read
from hmar.client.connection import Connection
from hmar.client.problems import CLASSES
from hmar.client.server import Server
from hmar.errors import (
    AuthError,
    ConfigError,
    ForbiddenError,
    HmarError,
    InputError,
    LimitError,
    NotFoundError,
    OperatorError,
    UnavailableError,
)
from hmar.pauses import ATTEMPTS, FIRST_S, LONGEST_S, Pauses
from service.problem_table import all_problems
from tests.hmar.client.scripted import CLOSES, Scripted, Told, answer, problem
from tests.require import require_command

pytestmark = pytest.mark.slow


class Slept:
    """Pauses that last no time."""

    def __init__(self, drawn: float = 0.0) -> None:
        self.seconds: list[float] = []
        self.pauses = Pauses(self.seconds.append, lambda: drawn)


def api_of(server: Scripted, slept: Slept | None = None) -> Api:
    return Api(Server(server.url, "hmar_k"), Connection(server.url, 5), (slept or Slept()).pauses)


def test_a_request_comes_again_after_the_seconds_that_the_server_names() -> None:
    slept = Slept()
    script = [
        problem(429, "too-many-requests", Retry_After="3"),
        problem(503, "overloaded"),
        answer(200, "[1]"),
    ]
    with Scripted(script) as server:
        assert api_of(server, slept).post("/x", {"a": 1}) == b"[1]"
    assert slept.seconds == [3.0, 2 * FIRST_S]
    assert {asked[:2] for asked in server.asked} == {("POST", "/x")}
    assert {asked.body for asked in server.asked} == {b'{"a": 1}'}


def test_what_is_drawn_at_random_is_added_and_never_more_than_the_pause_itself() -> None:
    slept = Slept(1.0)
    for attempt in range(1, ATTEMPTS):
        assert slept.pauses.wait(attempt, None)
    assert slept.seconds == [2 * FIRST_S * 2**doublings for doublings in range(ATTEMPTS - 1)]


@pytest.mark.parametrize("header", ["soon", "Wed, 21 Oct 2026 07:28:00 GMT", "-5", ""])
def test_a_time_that_is_no_number_of_seconds_is_as_if_none_were_named(header: str) -> None:
    slept = Slept()
    assert slept.pauses.wait(1, header)
    assert slept.seconds == [FIRST_S]


def test_attempts_end_and_the_last_refusal_is_raised() -> None:
    slept = Slept()
    with (
        Scripted([problem(503, "service-unavailable", Retry_After="5")] * ATTEMPTS) as server,
        pytest.raises(OperatorError, match="The detail"),
    ):
        api_of(server, slept).get("/x")
    assert len(server.asked) == ATTEMPTS
    assert slept.seconds == [5.0] * (ATTEMPTS - 1)


def test_a_server_that_wants_long_is_not_waited_for() -> None:
    slept = Slept()
    with (
        Scripted([problem(429, "too-many-requests", Retry_After=str(int(LONGEST_S) + 1))]) as server,
        pytest.raises(UnavailableError),
    ):
        api_of(server, slept).get("/x")
    assert slept.seconds == []


@pytest.mark.parametrize("told", [problem(503, "overloaded"), CLOSES])
def test_what_may_not_come_twice_does_not(told: Told) -> None:
    with Scripted([told, answer(200)]) as server, pytest.raises(UnavailableError):
        api_of(server).post("/api/v1/deletions", {}, repeatable=False)
    assert len(server.asked) == 1


def test_a_connection_that_ends_before_the_answer_is_made_once_more() -> None:
    with Scripted([CLOSES, answer(200, "2"), CLOSES, CLOSES]) as server:
        api = api_of(server)
        assert api.get("/x") == b"2"
        with pytest.raises(UnavailableError, match="broke"):
            api.get("/x")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (problem(401, "not-authorised"), AuthError),
        (problem(403, "forbidden"), ForbiddenError),
        (problem(404, "not-found"), NotFoundError),
        (problem(413, "upload-too-large"), LimitError),
        (problem(403, "of-a-later-version"), ForbiddenError),
        (problem(418, "of-a-later-version"), InputError),
        (problem(500, "internal-error"), OperatorError),
        (problem(599, "of-a-later-version"), OperatorError),
    ],
)
def test_a_problem_becomes_the_librarys_error(told: Told, expected: type[HmarError]) -> None:
    with Scripted([told]) as server, pytest.raises(HmarError) as raised:
        api_of(server).get("/x")
    assert type(raised.value) is expected
    assert (raised.value.detail, raised.value.remedy) == ("The detail.", "Act.")


def test_every_problem_of_the_server_has_a_class() -> None:
    assert {one.slug for one in all_problems()} == CLASSES.keys()


@pytest.mark.parametrize(
    "told",
    [
        answer(502, "<html>bad gateway</html>", Content_Type="text/html"),
        answer(404, "not json", Content_Type="application/problem+json"),
        answer(404, "[]", Content_Type="application/problem+json"),
        answer(302, "", Location="http://127.0.0.1:9/elsewhere"),
    ],
)
def test_an_answer_that_is_not_the_apis_is_told_with_its_status(told: Told) -> None:
    with (
        Scripted([told] * ATTEMPTS) as server,
        pytest.raises(UnavailableError, match=f"answered {told.status}"),
    ):
        api_of(server).get("/x")


def test_a_redirection_is_not_followed_with_the_key() -> None:
    with Scripted([]) as other, Scripted([answer(307, Location=f"{other.url}/x")]) as server:
        api = api_of(server)
        with pytest.raises(UnavailableError, match="answered 307"):
            api.get("/x")
    assert other.asked == []
    assert server.asked[0].headers["Authorization"] == "Bearer hmar_k"


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"hits": 3}'])
def test_an_answer_of_another_form_is_refused(body: str) -> None:
    with pytest.raises(UnavailableError, match="cannot be read"):
        read(body.encode(), hmar.Results.from_dict)


def test_the_names_of_files_are_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "Mustermann_Erika.dcm"
    path.write_bytes(b"image")
    with Scripted([problem(422, "image-not-readable")]) as server, pytest.raises(HmarError):
        hmar.Client(server.url, "hmar_k").search(path)
    assert b"image" in server.asked[0].body
    assert b"Mustermann" not in server.asked[0].body


def test_nobody_at_the_address_is_told_without_what_was_asked() -> None:
    with Scripted([]) as server:
        url = server.url
    with pytest.raises(UnavailableError, match="cannot be reached") as raised:
        hmar.Client(url, "hmar_k").frames("1.2.840.4711")
    assert "4711" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scripted, "__enter__", lambda self: self)
    monkeypatch.setattr(Scripted, "__exit__", lambda self, *_: self._server.server_close())
    with (
        Scripted([]) as server,
        pytest.raises(UnavailableError, match="in time"),
    ):  # it listens, and answers nothing
        hmar.Client(server.url, "hmar_k", timeout_s=0.05).series()


def certificate(folder: Path, names: Sequence[str]) -> tuple[Path, Path]:
    """Make a certificate that signs itself; return it and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    alternatives = "subjectAltName=" + ",".join(names)
    command = [require_command("openssl"), "req", "-x509", "-nodes", "-days", "2", "-newkey", "rsa:2048"]
    command += ["-subj", "/CN=test", "-addext", alternatives, "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


def test_certificates_are_verified_against_those_that_are_trusted(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, ["IP:127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with Scripted([answer(200, '{"series": []}')], context) as server:
        stranger = hmar.Client(server.url, "hmar_k")
        with pytest.raises(UnavailableError, match="certificate"):
            stranger.series()
        assert server.asked == []
        assert hmar.Client(server.url, "hmar_k", ca_file=cert).series() == []


def test_the_name_in_a_certificate_counts(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, ["DNS:pacs.example"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with Scripted([], context) as server, pytest.raises(UnavailableError, match="certificate"):
        hmar.Client(server.url, "hmar_k", ca_file=cert).series()


def test_certificates_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="PEM"):
        hmar.Client("https://pacs.example", "hmar_k", ca_file=tmp_path / "none.pem")


def test_every_exception_of_the_http_library_is_one_that_is_translated() -> None:
    for value in vars(urllib3.exceptions).values():
        own = (
            isinstance(value, type)
            and issubclass(value, Exception)
            and value.__module__.startswith("urllib3")
        )
        if own and not issubclass(value, Warning) and not value.__name__.startswith("Proxy"):  # none is used
            assert issubclass(value, urllib3.exceptions.HTTPError), value
