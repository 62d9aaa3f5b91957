"""A real browser, and a server that it can ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver

from hmar.adapters.memory import InlineQueue
from hmar.config import Settings
from hmar.thumbnail import ThumbnailEncoder
from hmar.wiring import build_engine
from tests.e2e.served import Server
from tests.require import require_command


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path / "profile") as browser:
        yield browser


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser without a GPU; its WebGL2 is made of software."""
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
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False},
    )
    try:
        yield browser
    finally:
        browser.quit()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "home") as server:
        yield server


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    queue = InlineQueue()
    engine = build_engine(Settings(home=home).checked(), ThumbnailEncoder(), queue)
    queue.handler = engine.indexer.handle
    server = Server(engine)
    try:
        yield server
    finally:
        server.close()
