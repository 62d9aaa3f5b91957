"""Chromium as the tests of the page drive it, and the screens that it can be made to have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selenium import webdriver

from tests.require import require_command


@dataclass(frozen=True)
class Screen:
    """A size in CSS pixels, and whether it is used by touch."""

    width: int
    height: int
    touch: bool = False


DESKTOP = Screen(1280, 800)
LARGE = Screen(2560, 1440)
FOUR_K = Screen(3840, 2160)
TABLET = Screen(820, 1180, touch=True)
PHONE = Screen(390, 844, touch=True)
PHONE_SIDEWAYS = Screen(844, 390, touch=True)
SETTLED = """
const [done] = arguments;
const transitions = () => document.getAnimations().filter((one) => one instanceof CSSTransition);
const settle = () => Promise.allSettled(transitions().map(({ finished }) => finished)).then(() => done(null));
requestAnimationFrame(() => requestAnimationFrame(settle));
"""
"""A page hears with a frame of what the system prefers, and is drawn anew with the next; colours may fade."""


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """Run a browser with a profile of its own, on a desktop's screen, until the context ends.

    It has no GPU; its WebGL2 is made of software.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = require_command("chromium")
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--force-device-scale-factor=1",
        "--window-size=1280,800",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=require_command("chromedriver"))
    browser = webdriver.Chrome(options=options, service=service)
    try:
        use_screen(browser, DESKTOP)
        yield browser
    finally:
        browser.quit()


def use_screen(browser: webdriver.Chrome, screen: Screen) -> None:
    """Give the browser a screen."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": screen.width, "height": screen.height, "deviceScaleFactor": 1, "mobile": screen.touch},
    )
    points = {"maxTouchPoints": 5} if screen.touch else {}
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": screen.touch, **points})


def prefer(browser: webdriver.Chrome, **preferences: str) -> None:
    """Have the system prefer something: ``color_scheme="dark"``, ``contrast="more"``."""
    features = [
        {"name": f"prefers-{name.replace('_', '-')}", "value": value} for name, value in preferences.items()
    ]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.execute_async_script(SETTLED)
