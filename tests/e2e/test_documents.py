"""The description of the API in a real browser: shown, tried, and nothing asked of another server."""

from __future__ import annotations

import pytest
from selenium import webdriver

from tests.e2e.page import Page
from tests.e2e.served import Server

pytestmark = pytest.mark.slow

ASKED = "return performance.getEntriesByType('resource').map(entry => entry.name)"
SHOWS_A_PICTURE = """
const told = arguments[0], canvas = document.createElement("canvas"), picture = new Image();
picture.onload = () => told("shown");
picture.onerror = () => told("refused");
canvas.toBlob(blob => { picture.src = URL.createObjectURL(blob); });
"""
OPERATION = "#operations-archive-listSeries"


def test_a_reader_sees_every_operation_and_tries_one(server: Server, browser: webdriver.Chrome) -> None:
    page = Page(browser)
    page.log_in(server.login_link())
    browser.get(f"{server.url}/docs")
    page.until(lambda: len(page.all(".opblock")) > 20)
    page.find(f"{OPERATION} .opblock-summary-control").click()
    page.until(lambda: page.all(f"{OPERATION} .try-out__btn"))
    page.find(f"{OPERATION} .try-out__btn").click()
    page.until(lambda: page.all(f"{OPERATION} .execute"))
    page.find(f"{OPERATION} .execute").click()
    page.until(lambda: page.all(f"{OPERATION} .live-responses-table"))
    assert "200" in page.text(f"{OPERATION} .live-responses-table tbody .response-col_status")
    assert all(name.startswith((server.url, "data:")) for name in browser.execute_script(ASKED))
    # Swagger UI shows a picture that it was answered with by an address of the page's own.
    shown = browser.execute_async_script(SHOWS_A_PICTURE)
    assert shown == "shown"
    assert page.mistakes() == []


def test_a_reader_who_is_not_logged_in_is_told_how_to(server: Server, browser: webdriver.Chrome) -> None:
    browser.get(f"{server.url}/docs")
    page = Page(browser)
    assert "hmar keys login" in page.text("main")
    assert not page.all("#api")
