"""Hundreds of hits on the page: memory for pictures is bounded, and more hits leave those drawn alone."""

from __future__ import annotations

from typing import Any

import pytest
from selenium import webdriver

from tests.e2e.many_series import add_series
from tests.e2e.page import Page
from tests.e2e.served import Server

pytestmark = pytest.mark.slow

SERIES = 340
FIRST = 310
MOST_HELD = 30
"""Cards in three times the height of the screen, and some more."""
HELD = """
const cards = [...document.querySelectorAll("#hits .hit-card")].map((card) => {
  const [canvas, image] = ["canvas", "img"].map((name) => card.querySelector(name));
  const side = Math.round(canvas.clientWidth * devicePixelRatio);
  const isSharp = canvas.width === side && canvas.height === side;
  return { canvas, image, isSharp, isLoaded: image.naturalWidth > 0 };
});
const drawn = cards.filter(({ canvas }) => canvas.width > 0);
return {
  pixels: drawn.reduce((sum, { canvas }) => sum + canvas.width * canvas.height, 0),
  drawn: drawn.map((card) => cards.indexOf(card)),
  isSharp: drawn.every(({ isSharp }) => isSharp),
  isLoaded: drawn.every(({ isLoaded }) => isLoaded),
  images: cards.filter(({ image }) => image.hasAttribute("src")).length,
  side: drawn[0]?.canvas.width,
};
"""
SCROLL = "document.querySelector('#hits-scroll').scrollTop = arguments[0]"
BRIGHTEST = """
const canvas = document.querySelectorAll("#hits canvas")[arguments[0]];
const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
return Math.max(...data.filter((_, i) => i % 4 < 3));
"""
SEARCHES = (
    "return performance.getEntriesByType('resource').filter(e => e.name.includes('/api/v1/search/')).length"
)


def held(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.browser.execute_script(HELD)
    return found


def is_settled(page: Page, card: int) -> bool:
    """Whether cards around one, and no others, have their pictures."""
    now = held(page)
    around = bool(now["drawn"]) and now["drawn"] == list(range(now["drawn"][0], now["drawn"][-1] + 1))
    return (
        around
        and card in now["drawn"]
        and now["isSharp"]
        and now["isLoaded"]
        and len(now["drawn"]) <= MOST_HELD
    )


def test_only_cards_near_the_screen_hold_pictures_and_more_hits_leave_those_drawn_alone(
    server: Server, browser: webdriver.Chrome
) -> None:
    add_series(server.engine, SERIES)
    page = Page(browser)
    page.log_in(server.login_link())
    page.open_series(0)
    page.search_all()
    page.find("#k").clear()
    page.find("#k").send_keys(str(FIRST))
    page.find("#search").click()
    page.until(lambda: len(page.hits()) == FIRST)
    page.until(lambda: is_settled(page, 0))
    top = held(page)
    assert top["images"] == len(top["drawn"])
    assert top["pixels"] == len(top["drawn"]) * top["side"] ** 2 < 1_000_000
    assert browser.execute_script(BRIGHTEST, 0) > 50

    browser.execute_script(SCROLL, 10_000_000)
    page.until(lambda: is_settled(page, FIRST - 1))
    end = held(page)
    assert 0 not in end["drawn"]
    assert end["pixels"] == len(end["drawn"]) * end["side"] ** 2 < 1_000_000
    browser.execute_script(SCROLL, 0)
    page.until(lambda: is_settled(page, 0))
    assert browser.execute_script(BRIGHTEST, 0) > 50

    # A smaller picture takes fewer pixels.
    browser.execute_script("document.querySelector('.hit-card').style.width = '150px'")
    page.until(lambda: is_settled(page, 0) and held(page)["side"] < top["side"])

    browser.execute_script(
        "document.querySelectorAll('.hit-card').forEach((card) => (card.dataset.before = ''))"
    )
    searches = browser.execute_script(SEARCHES)
    page.find("#more").click()
    page.until(lambda: len(page.hits()) == SERIES - 1)
    assert len(page.all(".hit-card[data-before]")) == FIRST
    assert browser.execute_script(SEARCHES) == searches + 1
    assert not page.find("#more").is_displayed()
    ranks = "return [...document.querySelectorAll('.hit-rank')].map((rank) => Number(rank.textContent))"
    assert browser.execute_script(ranks) == list(range(1, SERIES))

    # Refined, and after a reload, as many are there.
    page.find(".relevant").click()
    page.until(lambda: "Refined by 1 relevant" in page.text("#refined-text"))
    page.until(lambda: len(page.hits()) == SERIES - 1)
    browser.refresh()
    page.until(lambda: len(page.hits()) == SERIES - 1)
    assert "Refined by 1 relevant" in page.text("#refined-text")
    assert page.mistakes() == []
