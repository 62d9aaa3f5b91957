"""A browser without a window that has the page open, and does what the benchmark asks of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from hmar.errors import ConfigError, UnavailableError

if TYPE_CHECKING:
    from selenium import webdriver

TIMEOUT_S = 110
"""Below that of the driver's own client, which then gives up the whole browser."""
WIDTH, HEIGHT = 1920, 1080
_BROWSER, _DRIVER = "chromium", "chromedriver"
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    f"--window-size={WIDTH},{HEIGHT}",
)
_ASK = """
const tellDone = arguments[arguments.length - 1];
const [name, given] = arguments;
window.asked[name](...given).then(tellDone, (error) => tellDone({ error: `${error}` }));
"""
Numbers = dict[str, list[float]]


def check_installed() -> None:
    """Raise ConfigError without Selenium, Chromium or its driver."""
    if find_spec("selenium") is None:
        raise ConfigError("selenium is not installed.", "Run: pip install 'hmar-search[dev]'")
    for command in (_BROWSER, _DRIVER):
        if shutil.which(command) is None:
            raise ConfigError(f"{command} is not installed.", "Install chromium and its driver.")


class Tab:
    """The page in a tab of a browser.

    Parameters
    ----------
    browser : webdriver.Chrome
        Logged in, with the page loaded.
    surface : str
        What the page draws pictures with.
    """

    def __init__(self, browser: webdriver.Chrome, surface: str) -> None:
        self._browser = browser
        self.surface = surface

    def ask(self, name: str, *given: object) -> Numbers:
        """Let the page do one of the things of measure.js.

        Raises
        ------
        UnavailableError
            If the page does not get so far.
        """
        told: Numbers = self._browser.execute_async_script(_ASK, name, given)
        if "error" in told:
            raise UnavailableError(f"{name}: {told['error']}", "See the product's log.")
        return told

    def memory_bytes(self) -> int:
        """Return the memory of the tab's process, pages that it shares with others in part (PSS)."""
        sizes = [
            _held(process) for process in _children(self._browser.service.process.pid) if _is_tab(process)
        ]
        return max(sizes, default=0)


@contextmanager
def open_tab(profile: Path, link: str, gpu: bool) -> Iterator[Tab]:
    """Open the page by a login link."""
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which(_BROWSER))
    for flag in (*_FLAGS, *(() if gpu else ("--disable-gpu",)), f"--user-data-dir={profile}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(shutil.which(_DRIVER))))
    try:
        browser.set_script_timeout(TIMEOUT_S)
        browser.get(link)
        browser.find_element(By.ID, "log-in").click()
        WebDriverWait(browser, TIMEOUT_S).until(
            lambda _: browser.find_elements(By.CSS_SELECTOR, "#series .row.series")
        )
        if problem := browser.execute_async_script(Path(__file__).with_name("measure.js").read_text()):
            raise UnavailableError(
                f"The page cannot be measured: {problem}", "Run the version that it is of."
            )
        yield Tab(browser, _surface(browser))
    finally:
        browser.quit()


def _surface(browser: webdriver.Chrome) -> str:
    """Return what the page draws with: a canvas that has given out one kind of context gives no other."""
    has_webgl = browser.execute_script(
        'return Boolean(document.getElementById("picture").getContext("webgl2"))'
    )
    return "webgl2" if has_webgl else "2d"


def _children(process: int) -> list[int]:
    """Return the processes below one."""
    lists = Path("/proc", str(process), "task").glob("*/children")
    direct = [int(child) for each in lists for child in each.read_text().split()]
    return [*direct, *(grandchild for child in direct for grandchild in _children(child))]


def _is_tab(process: int) -> bool:
    return b"--type=renderer" in Path("/proc", str(process), "cmdline").read_bytes()


def _held(process: int) -> int:
    for line in Path("/proc", str(process), "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return 1024 * int(line.split()[1])
    return 0
