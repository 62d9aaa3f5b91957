"""The pages of operations, and the command that a browser without a login is shown."""

from __future__ import annotations

import html
import re
import subprocess

import pytest

from service.models.operations import PARTS
from tests.service.conftest import Archive


@pytest.mark.parametrize("part", PARTS)
def test_each_page_has_its_title_links_to_the_others_and_no_script_of_its_own(
    archive: Archive, part: str
) -> None:
    page = archive.client.get(f"/operations/{part}").text
    assert f"<h1>{PARTS[part]}</h1>" in page
    for other in PARTS:
        assert f'href="/operations/{other}"' in page
    assert page.count('aria-current="page"') == 1
    assert f'src="/static/js/operations/{part}.js"' in page
    assert "<script>" not in page
    assert "style=" not in page


def test_there_is_no_other_page_of_operations(archive: Archive) -> None:
    answer = archive.client.get("/operations/secrets")
    assert (answer.status_code, "jobs, statistics" in answer.get_json()["remedy"]) == (404, True)


@pytest.mark.parametrize("part", ["jobs", "secrets", "%C3%A9-", "%20", "a%0A"])
def test_a_browser_without_a_login_is_told_how_to_get_one(archive: Archive, part: str) -> None:
    answer = archive.stranger.get(f"/operations/{part}")
    assert (answer.status_code, answer.mimetype) == (401, "text/html")
    assert "hmar keys login" in answer.text


def shown_command(page: str) -> str:
    found = re.search("<pre>(.*)</pre>", page)
    assert found is not None
    return html.unescape(found[1])


@pytest.mark.slow
def test_on_this_machine_the_command_works_from_any_folder_and_in_any_shell(archive: Archive) -> None:
    hosts = ("localhost:8080", "127.0.0.1:8080", "[::1]:8080")
    [command] = {shown_command(archive.stranger.get("/", headers={"Host": host}).text) for host in hosts}
    assert command.startswith(f"HMAR_HOME={archive.engine.settings.home} /")
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd="/", env={}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "/login?token=" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize(
    ("host", "address"),
    [("hmar.example", "127.0.0.1"), ("localhost", "192.0.2.7"), ("localhost", "")],
)
def test_elsewhere_it_tells_no_path(archive: Archive, host: str, address: str) -> None:
    client = archive.stranger
    page = client.get("/", headers={"Host": host}, environ_overrides={"REMOTE_ADDR": address}).text
    assert "<pre>hmar keys login</pre>" in page
    assert str(archive.engine.settings.home) not in page


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_to_a_stranger_behind_a_proxy_of_this_machine_it_tells_no_path(archive: Archive, header: str) -> None:
    page = archive.stranger.get("/", headers={"Host": "localhost", header: "192.0.2.7"}).text
    assert "<pre>hmar keys login</pre>" in page
