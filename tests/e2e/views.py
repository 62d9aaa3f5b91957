"""Every view of the page, on one way through it: what is judged for accessibility, and shown in the manual.

A view is reached from the one before it, on a desktop's screen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from selenium.webdriver.common.keys import Keys

from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.e2e.test_page import NODULES, index_phantoms

OFFLINE = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}


@dataclass(frozen=True)
class View:
    """What is on the screen, and how a reader gets there."""

    name: str
    reach: Callable[[Page, Server], None]


def _not_logged_in(page: Page, server: Server) -> None:
    page.browser.get(server.url)


def _login(page: Page, server: Server) -> None:
    page.browser.get(server.login_link())


def _empty(page: Page, server: Server) -> None:
    page.log_in(server.login_link("admin"))
    page.until(lambda: page.find("#empty-archive").is_displayed())


def _archive(page: Page, server: Server) -> None:
    index_phantoms(server)
    page.browser.refresh()
    page.until(page.series)


def _image(page: Page, server: Server) -> None:
    page.open_series(0)


def _region(page: Page, server: Server) -> None:
    nodule = NODULES[1]
    assert nodule is not None
    page.drag_box(*nodule, side=28)


def _hits(page: Page, server: Server) -> None:
    page.find("#search").click()
    page.until(page.hits)


def _hit(page: Page, server: Server) -> None:
    page.press(Keys.ESCAPE)
    page.hits()[-1].click()
    page.until(lambda: page.find("#back").is_displayed() and page.text("#window-text"))


def _menu(page: Page, server: Server) -> None:
    page.find("#menu-button").click()
    page.until(lambda: page.find("#menu").is_displayed())


def _compare(page: Page, server: Server) -> None:
    page.press(Keys.ESCAPE)
    page.find("#compare-open").click()
    page.until(lambda: "nearest is image" in page.text("#match-text"))
    page.find("#heat").click()
    page.find("#difference-on").click()
    page.until(lambda: page.text("#why-text") and page.text("#difference-text"))


def _history(page: Page, server: Server) -> None:
    page.find("#beside-close").click()
    page.find("#history-open").click()
    page.until(lambda: page.all("#history-recent .past-open"))


def _offline(page: Page, server: Server) -> None:
    page.press(Keys.ESCAPE)
    page.browser.execute_cdp_cmd("Network.enable", {})
    page.browser.execute_cdp_cmd("Network.emulateNetworkConditions", OFFLINE)
    page.find("#search").click()
    page.until(lambda: page.find("#connection").is_displayed())


def _expired(page: Page, server: Server) -> None:
    page.browser.execute_cdp_cmd("Network.emulateNetworkConditions", OFFLINE | {"offline": False})
    # The search that failed is repeated; meanwhile there is no other.
    page.until(lambda: not page.find("#connection").is_displayed() and page.find("#search").is_enabled())
    page.browser.delete_all_cookies()
    page.find("#search").click()
    page.until(lambda: page.find("#expired").is_displayed())


def _problem(page: Page, server: Server) -> None:
    page.log_in(server.login_link("admin"))
    page.browser.get(f"{server.url}/?study=1.2.3")
    page.until(lambda: page.find("#problem").is_displayed())


def _filters(page: Page, server: Server) -> None:
    page.find("#filters > summary").click()
    page.until(lambda: page.all("#offers button"))


def _export(page: Page, server: Server) -> None:
    page.find("#filters > summary").click()
    page.find("#exports > summary").click()
    page.until(lambda: page.find("#export-csv").is_displayed())


def _help(page: Page, server: Server) -> None:
    page.find("#exports > summary").click()
    page.find("#open-help").click()
    page.until(lambda: page.find("#help").is_displayed())


def _operations(part: str) -> View:
    def reach(page: Page, server: Server) -> None:
        page.browser.get(f"{server.url}/operations/{part}")
        page.until(lambda: not page.text("#status").startswith("Loading"))

    return View(f"operations-{part}", reach)


def _api(page: Page, server: Server) -> None:
    page.browser.get(f"{server.url}/docs")
    page.until(lambda: page.all(".opblock"))


VIEWS = (
    View("not-logged-in", _not_logged_in),
    View("login", _login),
    View("empty", _empty),
    View("archive", _archive),
    View("image", _image),
    View("region", _region),
    View("hits", _hits),
    View("filters", _filters),
    View("export", _export),
    View("help", _help),
    View("hit", _hit),
    View("menu", _menu),
    View("compare", _compare),
    View("history", _history),
    View("offline", _offline),
    View("expired", _expired),
    View("problem", _problem),
    *map(_operations, ("jobs", "pacs", "statistics", "keys", "audit", "models")),
    View("api", _api),
)
