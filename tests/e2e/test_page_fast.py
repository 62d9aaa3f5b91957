"""Fast searches on the page: chosen, told with what may be missing, and compared in full on request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from hmar.contents import digest_of
from hmar.values.digests import Digests
from hmar.values.entries import Origin
from hmar.wiring import Engine
from tests.e2e.conftest import serving
from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.e2e.test_page import index_phantoms
from tests.e2e.test_page_state import check_no_barrier
from tests.e2e.views import OFFLINE
from tests.fast import crowd, fast_at_any_size
from tests.phantoms import ct_file, series_uid

pytestmark = pytest.mark.slow

SLICES = 12
NODULES = {1: (60.0, 84.0), 2: (132.0, 92.0), 3: (60.0, 84.0), 4: None}
PATIENTS = 6000
"""Enough for fast searches for dozens of hits, which do not compare them all."""
HITS = 10
TOLD = (
    r"Fast search: (more than )?\d+\.\d % of the %d nearest are expected among the hits, "
    r"but for what one or two slices alone show\."
)
CHOICE = "#how-thorough"


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Server]:
    """Four series among thousands of other patients, in an archive that is searched as large ones are."""
    with fast_at_any_size(), serving(tmp_path / "home", fast_above=1) as server:
        index_phantoms(server, NODULES, SLICES)
        add_patients(server.engine)
        yield server


def add_patients(engine: Engine) -> None:
    """Add patients with a frame each, whose codes are random and who all show one file."""
    data = ct_file(9, 1)
    frame = engine.decoder.open(data).frame(1)
    like = replace(engine.encoder.encode(frame), digests=Digests.of(frame, digest_of(data), 1))
    added = [
        replace(one, info=replace(one.info, study_uid=f"2.25.9.{number}", patient_key=f"{number:032x}"))
        for number, one in enumerate(crowd(like, PATIENTS))
    ]
    engine.catalogue.append("default", added, Origin("upload", engine.uploads.put(data)))


def searched(page: Page) -> dict[str, Any]:
    """The search that the page's address has."""
    [text] = parse_qs(urlsplit(page.browser.current_url).query)["search"]
    asked: dict[str, Any] = json.loads(text)
    return asked


def says(page: Page, count: int) -> bool:
    """Whether a line above some hits says that the search was fast."""
    told = re.fullmatch(TOLD.replace("%d", str(count)), page.text("#fast-text"))
    return page.find("#fast").is_displayed() and told is not None


def is_silent(page: Page, count: int) -> bool:
    """Whether a search has ended, exact, with some hits: nothing is said of it."""
    is_over = page.find("#hits").get_attribute("aria-busy") == "false"
    return is_over and len(page.hits()) == count and not page.find("#fast").is_displayed()


def search_for_the_nodule(server: Server, page: Page) -> None:
    page.log_in(server.login_link())
    page.browser.get(f"{server.url}/?series={series_uid(1)}")
    page.until(lambda: page.text("#frame-text"))
    nodule = NODULES[1]
    assert nodule is not None
    page.drag_box(*nodule, side=28)
    page.search_all()
    page.find("#search").click()
    page.until(lambda: len(page.hits()) == HITS)


def test_a_fast_search_says_what_may_be_missing_and_is_compared_in_full_on_request(
    large: Server, browser: webdriver.Chrome
) -> None:
    page = Page(browser)
    search_for_the_nodule(large, page)
    page.until(lambda: says(page, HITS))
    page.until(lambda: "search=" in browser.current_url)
    assert "search" not in searched(page)
    check_no_barrier(page)

    # Refined, and with more of them, it says so for as many as are there.
    page.find(".relevant").click()
    page.until(lambda: "Refined by 1 relevant" in page.text("#refined-text") and says(page, HITS))
    page.find("#more").click()
    page.until(lambda: says(page, 20))

    page.find("#compare-all").send_keys(Keys.ENTER)
    page.until(lambda: is_silent(page, 20))
    page.until(lambda: browser.switch_to.active_element == page.find(CHOICE))
    assert page.find(CHOICE).get_attribute("value") == "exact"
    assert "Refined by 1 relevant" in page.text("#refined-text")
    assert not page.find("#differing").is_displayed()
    page.until(lambda: searched(page).get("search") == "exact")
    assert [len(searched(page)["relevant"]), searched(page)["k"]] == [1, 20]
    page.find("#more").click()
    page.until(lambda: is_silent(page, 30))
    browser.refresh()
    page.until(lambda: is_silent(page, 30))
    assert page.find(CHOICE).get_attribute("value") == "exact"

    # Two regions, as the server decides.
    page.find(f"{CHOICE} option[value='']").click()
    page.until(lambda: says(page, 30))
    with_shift = ActionChains(browser)
    with_shift.key_down(Keys.SHIFT).perform()
    page.drag_box(96, 138, side=20)
    with_shift.key_up(Keys.SHIFT).perform()
    page.find("#search").click()
    page.until(lambda: "2 regions" in page.text("#hits-query") and says(page, 30))
    page.find("#compare-all").click()
    page.until(lambda: is_silent(page, 30))
    assert len(searched(page)["regions"]) == 2
    assert page.mistakes() == []


def test_what_was_fast_is_told_as_such_while_it_is_kept(large: Server, browser: webdriver.Chrome) -> None:
    page = Page(browser)
    search_for_the_nodule(large, page)
    page.until(lambda: says(page, HITS))
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", OFFLINE)
    page.find("#compare-all").click()
    page.until(lambda: page.find("#connection").is_displayed())
    page.until(lambda: "how thorough the search is" in page.text("#differing"))
    assert says(page, HITS)
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", OFFLINE | {"offline": False})
    page.until(lambda: is_silent(page, HITS))
    assert not page.find("#differing").is_displayed()

    browser.back()
    page.until(lambda: says(page, HITS))
    assert page.find(CHOICE).get_attribute("value") == ""
    page.find("#compare-open").click()
    page.until(lambda: page.find("#beside").is_displayed())
    assert says(page, HITS)
    page.find("#history-open").click()
    page.until(lambda: len(page.all("#history-recent .past-open")) == 2)
    fast, exact = (row.text for row in page.all("#history-recent .past-text"))
    assert "10 hits, fast search" in fast
    assert "10 hits, exact search" in exact


def test_of_an_exact_search_nothing_is_told_whatever_is_chosen(
    server: Server, browser: webdriver.Chrome
) -> None:
    index_phantoms(server, NODULES, SLICES)
    page = Page(browser)
    search_for_the_nodule(server, page)
    assert is_silent(page, HITS)
    for choice in ("exact", "fast"):
        page.find(f"{CHOICE} option[value={choice}]").click()
        page.until(lambda: searched(page).get("search") == choice and is_silent(page, HITS))  # noqa: B023 - at once
    assert page.mistakes() == []
