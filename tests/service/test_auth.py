"""Keys, login links, the session cookie, and requests forged by another site."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from hmar.values.identity import EVERYDAY, PAGE_LOGIN, Identity
from tests.service.conftest import Archive

SERIES = "/api/v1/series"
PAGE = {"X-HMAR-Page": "1", "Sec-Fetch-Site": "same-origin"}
OPEN = {"/healthz", "/readyz", "/login", "/IHEInvokeImageDisplay", "/static/<path:filename>"}


def logged_in(archive: Archive) -> FlaskClient:
    client = archive.stranger
    answer = client.post(
        "/login", data={"token": archive.engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 60)}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    return client


@pytest.mark.slow
def test_a_key_is_taken_in_either_header(archive: Archive) -> None:
    client = archive.stranger
    assert client.get(SERIES, headers={"Authorization": f"Bearer {archive.key}"}).status_code == 200
    assert client.get(SERIES, headers={"X-API-Key": archive.key}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": "hmar_wrong"},
        {"X-API-Key": ""},
        {"Authorization": "Bearer hmar_wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic aGk6aGk="},
        {"Cookie": "hmar_session=forged.forged.forged"},
    ],
)
def test_no_key_and_a_wrong_key_are_refused_in_words(archive: Archive, headers: dict[str, str]) -> None:
    answer = archive.stranger.get(SERIES, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.get_json(force=True)["type"] == "/problems/not-authorised"
    assert "hmar_wrong" not in answer.text


def test_a_revoked_key_stops_working_at_once(empty_archive: Archive) -> None:
    assert empty_archive.client.get(SERIES).status_code == 200
    assert empty_archive.engine.keys.revoke("tests")
    assert empty_archive.client.get(SERIES).status_code == 401


def test_every_route_but_the_open_ones_needs_a_key(archive: Archive) -> None:
    for rule in archive.app.url_map.iter_rules():
        if rule.rule in OPEN:
            continue
        path = rule.rule.replace("<int:frame_number>", "1").replace("<", "").replace(">", "")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            assert archive.stranger.open(path, method=method).status_code == 401, path
    assert archive.stranger.get("/nowhere").status_code == 401


def test_a_wrong_key_is_refused_before_the_body_is_read(archive: Archive) -> None:
    answer = archive.stranger.post("/api/v1/search/image", data=b"{", content_type="application/json")
    assert answer.status_code == 401


def test_looking_at_a_login_link_does_not_use_it_up_and_using_it_does(archive: Archive) -> None:
    token = archive.engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 60)
    client = archive.stranger
    for _ in range(2):
        assert client.get(f"/login?token={token}").status_code == 200
    assert client.post("/login", data={"token": token}).status_code == 303
    assert client.get("/").status_code == 200
    assert archive.stranger.post("/login", data={"token": token}).status_code == 401


def test_a_login_form_shows_its_token_as_text_and_not_as_markup(archive: Archive) -> None:
    assert "<script>" not in archive.stranger.get('/login?token="><script>').text


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(archive: Archive) -> None:
    form = {"token": archive.engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 60)}
    cookie = archive.stranger.post("/login", data=form).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


@pytest.mark.parametrize(
    ("base_url", "headers", "secure"),
    [
        ("http://localhost:8080", {"Sec-Fetch-Site": "same-origin"}, False),
        ("http://127.0.0.1:8080", {"Sec-Fetch-Site": "same-origin"}, False),
        ("http://[::1]:8080", {"Sec-Fetch-Site": "same-origin"}, False),
        ("http://hmar.example", {}, False),
        ("http://hmar.example", {"Sec-Fetch-Site": "same-origin"}, True),
        ("https://localhost", {}, True),
    ],
)
def test_the_session_cookie_is_secure_where_the_browser_came_by_https_even_through_a_proxy(
    archive: Archive, base_url: str, headers: dict[str, str], secure: bool
) -> None:
    form = {"token": archive.engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 60)}
    answer = archive.stranger.post("/login", data=form, base_url=base_url, headers=headers)
    assert ("Secure" in answer.headers["Set-Cookie"].split("; ")) is secure


def test_the_page_without_a_login_says_how_to_get_one(archive: Archive) -> None:
    answer = archive.stranger.get("/")
    assert answer.status_code == 401
    assert answer.mimetype == "text/html"
    assert "hmar keys login" in answer.text


def test_logging_out_ends_the_session(archive: Archive) -> None:
    client = logged_in(archive)
    assert client.get(SERIES).status_code == 200
    answer = client.post("/logout", headers=PAGE)
    assert (answer.status_code, answer.headers["Clear-Site-Data"]) == (204, '"cache"')
    assert client.get(SERIES).status_code == 401


def test_a_copied_cookie_is_worth_nothing_after_logging_out(archive: Archive) -> None:
    client, thief = logged_in(archive), archive.stranger
    copied = client.get_cookie("hmar_session")
    assert copied is not None
    thief.set_cookie("hmar_session", copied.value)
    assert thief.get(SERIES).status_code == 200
    client.post("/logout", headers=PAGE)
    assert thief.get(SERIES).status_code == 401
    other = logged_in(archive)
    assert other.get(SERIES).status_code == 200, "other logins stay"


def test_logging_in_again_ends_the_session_before(archive: Archive) -> None:
    client, thief = logged_in(archive), archive.stranger
    copied = client.get_cookie("hmar_session")
    assert copied is not None
    client.post(
        "/login", data={"token": archive.engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 60)}
    )
    assert client.get(SERIES).status_code == 200
    thief.set_cookie("hmar_session", copied.value)
    assert thief.get(SERIES).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (PAGE, 422),
        ({"X-HMAR-Page": "1", "Origin": "http://localhost"}, 422),
        ({"X-HMAR-Page": "1"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 403),
        ({"X-HMAR-Page": "1", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"X-HMAR-Page": "1", "Sec-Fetch-Site": "same-site"}, 403),
        ({"X-HMAR-Page": "1", "Origin": "http://evil.example"}, 403),
        ({"X-HMAR-Page": "1", "Origin": "null"}, 403),
        ({"X-HMAR-Page": "1", "Origin": "http://["}, 403),
        ({"X-HMAR-Page": "1", "Origin": "http://localhost.evil.example"}, 403),
        ({"X-HMAR-Page": "1", "Origin": "http://localhost/x"}, 403),
    ],
)
def test_a_cookie_alone_changes_nothing(archive: Archive, headers: dict[str, str], status: int) -> None:
    answer = logged_in(archive).post("/api/v1/index-jobs", json={}, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.get_json(force=True)["type"] == "/problems/cross-site-request"


@pytest.mark.parametrize("name", ["", "none.js", "..", "a%0Ab"])
def test_a_name_that_no_file_of_the_page_has_is_told_without_a_key(archive: Archive, name: str) -> None:
    assert archive.stranger.get(f"/static/{name}").status_code == 404


def test_every_answer_carries_the_security_headers(archive: Archive) -> None:
    for path in ("/", "/healthz", "/api/v1/series", "/nowhere", "/static/js/main.js"):
        with archive.client.get(path) as answer:
            headers = answer.headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Access-Control-Allow-Origin" not in headers
