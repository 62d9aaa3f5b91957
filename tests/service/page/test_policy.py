"""Every page of the product: nothing inline, nothing from elsewhere, and its theme before its styles."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from service.operations.operation import operation_of
from tests.service.conftest import Archive

NEEDED = {"/login": "?token=x", "/IHEInvokeImageDisplay": "?requestType=STUDY&studyUID=1.2"}
"""What a page's address must name."""


def pages(archive: Archive) -> Iterator[str]:
    """Yield the addresses of all pages."""
    for rule in archive.app.url_map.iter_rules():
        answers = operation_of(archive.app.view_functions[rule.endpoint]).answers
        first = answers.get(200)
        if "GET" in (rule.methods or ()) and not rule.arguments and first and first.media_type == "text/html":
            yield rule.rule + NEEDED.get(rule.rule, "")


@pytest.fixture(scope="module")
def texts(archive: Archive) -> dict[str, str]:
    """Every page, and that of those who are not logged in, as it is sent."""
    found = {}
    for address in pages(archive):
        answer = archive.client.get(address)
        assert answer.status_code == 200, address
        policy = dict(part.split(None, 1) for part in answer.headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
        assert set(policy) - {"img-src"} == {
            "default-src", "object-src", "base-uri", "form-action", "frame-ancestors",
        }  # fmt: skip
        assert "unsafe" not in str(policy)
        found[address] = answer.text
    return {**found, "not logged in": archive.stranger.get("/").text}


def test_all_pages_are_looked_at(texts: dict[str, str]) -> None:
    assert {"/", "/docs", "/login?token=x", "not logged in"} <= set(texts)
    assert "early.js" in texts["/"]


def test_no_page_has_script_or_style_of_its_own(texts: dict[str, str]) -> None:
    for address, text in texts.items():
        for tag in re.findall(r"<script[^>]*>", text):
            assert " src=" in tag, address
        assert re.findall(r"<style|\s(?:style|on\w+)=", text) == [], address


def test_no_page_loads_anything_from_elsewhere(texts: dict[str, str]) -> None:
    for address, text in texts.items():
        loaded = re.findall(r"<(?:link|script|img|form)[^>]*\s(?:href|src|action)=\"([^\"]*)\"", text)
        assert all(re.match(r"/(?!/)", path) for path in loaded), address


def test_every_page_knows_its_theme_before_its_styles_are_there(texts: dict[str, str]) -> None:
    for address, text in texts.items():
        assert '<meta name="color-scheme" content="light dark">' in text, address
        loaded = re.findall(r"<script[^>]*>|<link rel=\"stylesheet\"[^>]*>", text)
        assert loaded[:1] in ([], ['<script src="/static/js/shell/early.js">']), address
