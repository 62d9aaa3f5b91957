"""The page that shows the description: for those who are logged in, and of the server's own files."""

from __future__ import annotations

import re

import pytest

from service.routes.documents import SHOWN_BY
from tests.service.conftest import Archive


def test_the_page_without_a_login_says_how_to_get_one(archive: Archive) -> None:
    answer = archive.stranger.get("/docs")
    assert (answer.status_code, answer.mimetype) == (401, "text/html")
    assert "hmar keys login" in answer.text


def test_the_page_loads_files_of_the_server_alone_and_has_no_script_of_its_own(archive: Archive) -> None:
    page = archive.client.get("/docs").text
    loaded = re.findall(r'(?:src|href|data-document)="([^"]+)"', page)
    assert len(loaded) == 7
    for path in loaded:
        assert path.startswith("/")
        with archive.client.get(path) as answer:
            assert answer.status_code == 200
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))
    assert "<style" not in page
    assert "style=" not in page


@pytest.mark.parametrize("name", SHOWN_BY)
def test_its_files_need_a_key_and_carry_the_policy(archive: Archive, name: str) -> None:
    assert archive.stranger.get(f"/docs/{name}").status_code == 401
    with archive.client.get(f"/docs/{name}") as answer:
        assert len(answer.data) > 100_000
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["oauth2-redirect.html", "LICENSE", "..%2fflask_swagger_ui.py", "none"])
def test_no_other_file_of_the_package_is_served(archive: Archive, name: str) -> None:
    assert archive.client.get(f"/docs/{name}").status_code == 404


def test_a_part_of_a_file_and_one_that_is_kept_are_answered_as_described(archive: Archive) -> None:
    path = f"/docs/{SHOWN_BY[1]}"
    with archive.client.get(path, headers={"Range": "bytes=0-9"}) as part:
        assert (part.status_code, len(part.data)) == (206, 10)
    with archive.client.get(path, headers={"Range": "bytes=99999999-"}) as none:
        assert none.status_code == 416
    with archive.client.get(path, headers={"If-None-Match": part.headers["ETag"]}) as kept:
        assert kept.status_code == 304
