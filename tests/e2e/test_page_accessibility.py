"""Every view of the page, in both themes, from a phone to a large screen: no barrier, no complaint."""

from __future__ import annotations

import pytest
from selenium import webdriver

from tests.axe import barriers
from tests.e2e.chromium import DESKTOP, LARGE, PHONE, prefer, use_screen
from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.e2e.views import VIEWS

pytestmark = pytest.mark.slow

NOT_OURS = {("api", "nested-interactive")}
"""Rules by view that Swagger UI breaks in the markup of its own bundle, as docs/page.md says."""
EXPECTED = ("401 (Unauthorized)", "ERR_INTERNET_DISCONNECTED")
"""What the browser itself says where nobody is logged in, and where it is offline."""
WIDER_THAN_THE_SCREEN = "return document.documentElement.scrollWidth > innerWidth"
COLOUR = "return getComputedStyle(document.querySelector(arguments[0])).color"
DRAWN = "return getComputedStyle(document.querySelector(arguments[0])).getPropertyValue('--query')"
LONGEST_MOVE = """
const element = document.querySelector("#theme");
element.style.transition = "opacity 3s";
return getComputedStyle(element).transitionDuration;
"""


def test_no_view_has_a_serious_barrier_or_is_wider_than_its_screen(
    server: Server, browser: webdriver.Chrome
) -> None:
    page, found, complaints = Page(browser), [], []
    not_ours = set()
    for view in VIEWS:
        view.reach(page, server)
        for screen in (PHONE, DESKTOP, LARGE):
            use_screen(browser, screen)
            for theme in ("light", "dark"):
                prefer(browser, color_scheme=theme)
                where = f"{view.name}, {screen.width} px, {theme}"
                for barrier in barriers(browser):
                    rule = (view.name, barrier.partition(":")[0])
                    if rule in NOT_OURS:
                        not_ours.add(rule)
                    else:
                        found.append(f"{where}: {barrier}")
                if browser.execute_script(WIDER_THAN_THE_SCREEN):
                    found.append(f"{where}: it is scrolled sideways")
        use_screen(browser, DESKTOP)
        complaints += [said for said in page.mistakes() if not any(known in said for known in EXPECTED)]
    assert found == []
    assert not_ours == NOT_OURS
    assert complaints == []


def test_a_barrier_is_found(server: Server, browser: webdriver.Chrome) -> None:
    browser.get(server.url)
    assert barriers(browser) == []
    browser.execute_script("document.querySelector('main').append(document.createElement('button'))")
    assert [said.partition(":")[0] for said in barriers(browser)] == ["button-name"]


def test_the_theme_is_the_systems_until_another_is_chosen_and_that_one_stays(
    server: Server, browser: webdriver.Chrome
) -> None:
    page = Page(browser)
    prefer(browser, color_scheme="light")
    page.log_in(server.login_link())
    light = browser.execute_script(COLOUR, "body")
    prefer(browser, color_scheme="dark")
    dark = browser.execute_script(COLOUR, "body")
    assert light != dark
    # Scripts draw with what they read: a colour of its own in each theme, and one on pictures.
    drawn = browser.execute_script(DRAWN, "body")
    assert drawn == browser.execute_script(DRAWN, "#canvas") == "rgb(255, 180, 84)"

    page.find("#theme").click()
    assert browser.execute_script(COLOUR, "body") == light
    browser.refresh()
    assert browser.execute_script(COLOUR, "body") == light
    assert browser.execute_script(COLOUR, "#stage") == dark
    assert browser.execute_script(DRAWN, "body") != drawn
    assert browser.execute_script(DRAWN, "#canvas") == drawn
    browser.get(f"{server.url}/login?token=none")
    assert browser.execute_script(COLOUR, "body") == light
    browser.get(server.url)
    page.find("#theme").click()
    page.find("#theme").click()
    prefer(browser, color_scheme="light")
    assert browser.execute_script(COLOUR, "body") == light

    muted = browser.execute_script(COLOUR, "#status")
    prefer(browser, color_scheme="light", contrast="more")
    assert browser.execute_script(COLOUR, "#status") != muted
    prefer(browser, reduced_motion="reduce")
    assert browser.execute_script(LONGEST_MOVE) == "1e-05s"
    assert page.mistakes() == []
