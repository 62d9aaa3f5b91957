"""What the page keeps over a reload, in a link, without a network and after a login; and comparing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from hmar.values.entries import Origin
from hmar.values.identity import EVERYDAY, PAGE_LOGIN, Identity
from tests.axe import barriers
from tests.e2e.chromium import prefer
from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.e2e.test_page import NODULES, SLICES, index_phantoms, patient_of
from tests.phantoms import PATIENT_ID, PATIENT_NAME, ct_file

pytestmark = pytest.mark.slow

ELSEWHERE = Identity(PAGE_LOGIN, EVERYDAY, frozenset({"elsewhere"}))
SHOWN = "return {...document.getElementById(arguments[0]).dataset}"
INVERT = "button[data-tool=invert]"
ASKED = "return performance.getEntriesByType('resource').some((entry) => entry.name.endsWith(arguments[0]))"
STORED = "return JSON.stringify({...localStorage})"


def shown(page: Page, canvas: str = "canvas") -> dict[str, Any]:
    """Which image is on the screen, and through which window."""
    found: dict[str, Any] = page.browser.execute_script(SHOWN, canvas)
    return found


def search_for_the_nodule(server: Server, page: Page) -> None:
    index_phantoms(server)
    page.log_in(server.login_link())
    page.open_series(0)
    page.find("#canvas").click()
    page.press("2")
    page.until(lambda: shown(page)["window"] == "-600,1500")
    nodule = NODULES[1]
    assert nodule is not None
    page.drag_box(*nodule, side=28)
    page.search_all()
    page.find("#canvas").send_keys(Keys.ENTER)
    page.until(lambda: len(page.hits()) == 10)


def open_hit_of_another_series(page: Page) -> int:
    """Open the first hit that is not of the query's own series; return its place among the hits."""
    place = next(i for i, hit in enumerate(page.hits()) if "this series" not in hit.text)
    before = shown(page)["series"]
    page.hits()[place].click()
    page.until(lambda: shown(page)["series"] not in ("", before))
    return place


def is_open(page: Page, place: int) -> bool:
    """Whether a hit's card says that it is the open one; asked at once, for cards come and go."""
    card = f"#hits li:nth-child({place + 1}) .hit[aria-current=true]"
    return len(page.hits()) == 10 and len(page.all(card)) == 1


def check_no_barrier(page: Page) -> None:
    """What is on the screen has no serious barrier, in either theme."""
    for theme in ("light", "dark"):
        prefer(page.browser, color_scheme=theme)
        assert barriers(page.browser) == [], theme


def test_reload_back_forward_and_history_bring_back_what_was_on_the_screen(
    server: Server, browser: webdriver.Chrome
) -> None:
    page = Page(browser)
    search_for_the_nodule(server, page)
    query, box = shown(page), page.text("#box-text")
    place = open_hit_of_another_series(page)
    hit = shown(page)
    page.until(lambda: f"series={hit['series']}" in browser.current_url)

    browser.refresh()
    page.until(lambda: is_open(page, place) and shown(page) == hit)
    assert "not for the one on the screen" in page.text("#hits-query")
    page.find("#canvas").click()
    page.press(Keys.ARROW_DOWN)
    page.until(lambda: shown(page)["instance"] != hit["instance"])
    scrolled = shown(page)
    page.until(lambda: scrolled["instance"] in browser.current_url)

    browser.back()
    page.until(lambda: shown(page) == query and page.text("#box-text") == box)
    assert len(page.hits()) == 10
    browser.back()
    page.until(lambda: not page.hits())
    assert page.text("#hits-query") == ""
    browser.forward()
    page.until(lambda: len(page.hits()) == 10)
    browser.forward()
    page.until(lambda: shown(page) == scrolled)

    page.find("#history-open").click()
    page.until(lambda: page.find("#history").is_displayed())
    page.until(lambda: browser.execute_script("return document.querySelector('.past-open img').naturalWidth"))
    assert "CT CHEST, 1 region" in page.text("#history-recent")
    check_no_barrier(page)
    page.find("#history-recent input").send_keys("Round nodule", Keys.ENTER)
    page.until(lambda: page.text("#history-saved strong") == "Round nodule")
    page.find("#history-saved .past-open").click()
    page.until(lambda: shown(page) == query and page.text("#box-text") == box)
    kept = browser.execute_script(STORED)
    assert "Round nodule" in json.loads(next(iter(json.loads(kept).values())))[0]["name"]
    for secret in (PATIENT_NAME, PATIENT_ID):
        assert secret not in kept + browser.current_url

    page.find("#menu-button").click()
    page.find("#logout").click()
    page.until(lambda: "You are not logged in" in page.text("body"))
    assert browser.execute_script(STORED) == "{}"


def test_measurements_the_turned_picture_and_a_long_search_outlast_a_reload(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    index_phantoms(server)
    (tmp_path / "query.dcm").write_bytes(ct_file(1, 3, NODULES[1]))
    page = Page(browser)
    page.log_in(server.login_link())
    page.open_series(0)
    page.find("#canvas").click()
    upright = edges(page)
    page.press("l", "l", "i", "h", "r")
    page.until(lambda: edges(page) != upright)
    turned = edges(page)
    # Ellipses have so many points that an address does not take them.
    page.press("+", "e", "e", "e", "e")
    page.until(lambda: page.text("#box-text").startswith("3 regions"))
    page.search_all()
    page.find("#canvas").send_keys(Keys.ENTER)
    page.until(lambda: len(page.hits()) == 10)
    query, measured = shown(page), page.text("#chips")
    assert "Length" in measured
    page.until(lambda: "view=invert%2Cflip" in browser.current_url and "search=" not in browser.current_url)

    browser.refresh()
    page.until(lambda: len(page.hits()) == 10 and shown(page) == query)
    page.until(lambda: edges(page) == turned and page.text("#chips") == measured)
    assert page.find(INVERT).get_attribute("aria-pressed") == "true"
    tab = json.loads(browser.execute_script("return sessionStorage.getItem('hmar.measured')"))
    [[frame, [length]]] = tab["frames"]
    assert (frame, length["kind"]) == (f"default/{query['instance']}/1", "length")

    # What was told of a file is not told of the image that Back leads to.
    page.find("#open-files").send_keys(str(tmp_path / "query.dcm"))
    page.until(lambda: page.text("#status") == "Opened query.dcm")
    browser.back()
    page.until(lambda: shown(page) == query and page.text("#status") == "")

    page.find("#history-open").click()
    page.until(lambda: "CT CHEST, 3 regions" in page.text("#history-recent"))
    page.find("#history-clear").click()
    page.until(lambda: "1 search will be deleted" in page.text("dialog[aria-labelledby=dialog-title]"))
    page.find("dialog[aria-labelledby=dialog-title] .dialog-buttons button[type=button]").click()
    page.until(lambda: not page.all("dialog[aria-labelledby=dialog-title]"))
    page.find("#history-recent .past-open").click()
    page.until(lambda: len(page.hits()) == 10 and shown(page)["instance"] == query["instance"])
    page.find("#history-open").click()
    page.find("#history-clear").click()
    page.find("dialog[aria-labelledby=dialog-title] .dialog-buttons .danger").click()
    page.until(lambda: page.find("#history-empty").is_displayed())
    assert page.mistakes() == []


def edges(page: Page) -> list[str]:
    """The letters at the edges of the picture."""
    return [page.text(f"#edge-{edge}") for edge in ("left", "right", "top", "bottom")]


def test_an_instance_of_two_collections_stays_the_one_that_was_opened(
    server: Server, browser: webdriver.Chrome
) -> None:
    index_phantoms(server)
    copy = server.engine.settings.import_root / "copy"
    copy.mkdir()
    for number in range(1, SLICES + 1):
        # The same UIDs, and no nodule: other pixels.
        (copy / f"{number}.dcm").write_bytes(ct_file(1, number, None, patient_of(1)))
    server.engine.indexer.submit("teaching", Origin("import", "copy"))
    page = Page(browser)
    page.log_in(server.login_link())
    page.open_series(3)
    page.until(lambda: shown(page).get("collection") == "teaching")
    query = shown(page)
    pixels = f"{query['instance']}/frames/1/pixels?collection=teaching"
    assert browser.execute_script(ASKED, pixels)
    page.search_all()
    page.find("#k").clear()
    page.find("#k").send_keys("30")
    page.find("#search").click()
    page.until(lambda: len(page.hits()) == 26)
    # A card names the collection that is not the default.
    copies = [hit for hit in page.hits() if "this series" in hit.text]
    next(hit for hit in copies if "in teaching" not in hit.text).click()
    page.until(lambda: shown(page)["collection"] == "default" and shown(page)["series"] == query["series"])
    hit = shown(page)
    opened = [card.text for card in page.all("#hits .hit[aria-current=true]")]
    assert [("this series" in text, "in teaching" in text) for text in opened] == [(True, False)]
    page.until(lambda: "query_collection=teaching" in browser.current_url)

    browser.refresh()
    page.until(lambda: len(page.all("#hits .hit[aria-current=true]")) == 1 and shown(page) == hit)
    assert page.text("#hits .hit[aria-current=true]") == opened[0]
    page.find("#back").click()
    page.until(lambda: shown(page) == query)
    page.all("#hits .hit")[0].click()
    page.until(lambda: shown(page) != query)
    beside = shown(page)
    page.find("#compare-open").click()
    page.until(lambda: shown(page, "beside-canvas") == beside and shown(page) == query)
    page.until(lambda: f"beside_collection={beside['collection']}" in browser.current_url)
    browser.refresh()
    page.until(lambda: shown(page, "beside-canvas") == beside and shown(page) == query)
    assert page.mistakes() == []


def test_a_link_shows_another_reader_the_same_after_the_login_or_says_what_he_may_not_see(
    server: Server, browser: webdriver.Chrome
) -> None:
    page = Page(browser)
    search_for_the_nodule(server, page)
    query, box = shown(page), page.text("#box-text")
    page.until(lambda: "search=" in browser.current_url)
    page.find("#share-open").click()
    page.until(lambda: "copied" in page.text("#status") or page.find("#share").is_displayed())
    link = browser.current_url

    browser.delete_all_cookies()
    browser.get(link)
    page.until(lambda: "You are not logged in" in page.text("body"))
    browser.get(server.login_link())
    page.find("#log-in").click()
    page.until(lambda: len(page.hits()) == 10 and shown(page) == query)
    assert page.text("#box-text") == box

    browser.get(f"{server.url}/login?token={server.engine.keys.create_login(ELSEWHERE, 60)}")
    page.find("#log-in").click()
    page.until(lambda: page.find("#empty-archive").is_displayed())
    browser.get(link)
    page.until(lambda: "The image is not indexed" in page.text("#problem"))
    assert "not for this login" in page.text("#problem")
    assert shown(page).get("series", "") == ""
    assert browser.current_url == link


def test_what_is_drawn_outlasts_a_network_and_a_login_that_end(
    server: Server, browser: webdriver.Chrome
) -> None:
    page = Page(browser)
    search_for_the_nodule(server, page)
    query, box = shown(page), page.text("#box-text")
    page.find("#k").clear()
    page.find("#k").send_keys("3")

    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    page.find("#search").click()
    page.until(lambda: page.find("#connection").is_displayed())
    assert "offline" in page.text("#connection-text")
    assert (shown(page), page.text("#box-text"), len(page.hits())) == (query, box, 10)
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline | {"offline": False})
    page.until(lambda: not page.find("#connection").is_displayed())
    page.until(lambda: len(page.hits()) == 3)

    browser.delete_all_cookies()
    page.find("#k").clear()
    page.find("#k").send_keys("5")
    page.find("#search").click()
    page.until(lambda: page.find("#expired").is_displayed())
    assert "hmar keys login" in page.text("#expired")
    check_no_barrier(page)
    assert (shown(page), page.text("#box-text"), len(page.hits())) == (query, box, 3)
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    page.log_in(server.login_link())
    browser.close()
    browser.switch_to.window(first)
    page.until(lambda: not page.find("#expired").is_displayed())
    page.until(lambda: len(page.hits()) == 5)
    assert (shown(page), page.text("#box-text")) == (query, box)

    browser.delete_all_cookies()
    page.find("#search").click()
    page.until(lambda: page.find("#expired").is_displayed())
    browser.switch_to.new_window("tab")
    browser.get(f"{server.url}/login?token={server.engine.keys.create_login(ELSEWHERE, 60)}")
    page.find("#log-in").click()
    page.until(lambda: page.find("#empty-archive").is_displayed())
    browser.close()
    browser.switch_to.window(first)
    # Another reader has come: nothing of what the first one saw stays.
    page.until(lambda: "The image is not indexed" in page.text("#problem"))
    assert page.hits() == []


def test_a_hit_lies_beside_its_query_and_both_move_together(
    server: Server, browser: webdriver.Chrome
) -> None:
    page = Page(browser)
    search_for_the_nodule(server, page)
    query, box = shown(page), page.text("#box-text")
    open_hit_of_another_series(page)
    hit = shown(page)
    page.find("#compare-open").click()
    page.until(lambda: shown(page, "beside-canvas").get("instance") == hit["instance"])
    page.until(lambda: shown(page) == query and page.text("#box-text") == box)
    page.until(lambda: "nearest is image" in page.text("#match-text"))
    assert page.text("#beside-frame-text").endswith(f"of {SLICES}")
    page.until(lambda: page.text("#beside-window-text") == "Centre -600, width 1500 HU")
    check_words_of_both(page)

    page.find("#heat").click()
    page.until(lambda: "agree in" in page.text("#why-text"))
    page.find("#difference-on").click()
    page.until(lambda: "Mean difference" in page.text("#difference-text"))
    page.find(".collapse[aria-controls=hits-panel]").click()
    check_no_barrier(page)
    page.find("#canvas").click()
    page.press(Keys.END)
    page.until(lambda: page.text("#frame-text") == f"Image {SLICES} of {SLICES}")
    page.until(lambda: page.text("#beside-frame-text") == f"Image {nearest(page)} of {SLICES}")
    page.press("3")
    page.until(lambda: page.text("#beside-window-text") == "Centre 40, width 400 HU")
    beside = shown(page, "beside-canvas")
    kept = ("window=40%2C400", f"beside={beside['instance']}")
    page.until(lambda: all(part in browser.current_url for part in kept))

    browser.refresh()
    page.until(lambda: shown(page, "beside-canvas") == beside)
    page.until(lambda: "nearest is image" in page.text("#match-text"))
    page.find("#canvas").send_keys("k")
    page.until(lambda: not is_visible(page, "#stage") and is_visible(page, "#beside"))
    page.press("k")
    page.until(lambda: is_visible(page, "#stage") and not is_visible(page, "#beside"))
    page.find("#blink").click()
    page.until(lambda: is_visible(page, "#stage") and is_visible(page, "#beside"))
    page.find("#beside-close").click()
    page.until(lambda: not page.find("#beside").is_displayed())
    browser.back()
    page.until(lambda: page.find("#beside").is_displayed() and shown(page, "beside-canvas") == beside)
    assert page.mistakes() == []


def check_words_of_both(page: Page) -> None:
    """Each picture has its sides, its scale, what is known of it, and a pointer's value around it."""
    page.until(lambda: "years" in page.text("#facts") and "years" in page.text("#beside-facts"))
    for prefix, canvas in (("", "#canvas"), ("beside-", "#beside-canvas")):
        sides = [page.text(f"#{prefix}edge-{side}") for side in ("left", "right", "top", "bottom")]
        assert sides == ["R", "L", "A", "P"]
        assert page.text(f"#{prefix}scale-text").endswith(" mm")
        assert "CT \N{MIDDLE DOT} CHEST" in page.text(f"#{prefix}facts")
        ActionChains(page.browser).move_to_element(page.find(canvas)).perform()
        page.until(lambda prefix=prefix: page.text(f"#{prefix}value-text").endswith(" HU"))
    ActionChains(page.browser).move_to_element(page.find("#theme")).perform()
    page.until(lambda: page.text("#beside-value-text") == "")


def nearest(page: Page) -> str:
    """The number of the image that is told to lie beside."""
    return page.text("#match-text").partition("nearest is image ")[2].partition(",")[0]


def is_visible(page: Page, selector: str) -> bool:
    return page.find(selector).value_of_css_property("visibility") == "visible"
