"""A real browser, and a server that it can ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

from hmar.adapters.memory import InlineQueue
from hmar.config import Settings
from hmar.thumbnail import ThumbnailEncoder
from hmar.wiring import build_engine
from tests.e2e.chromium import chromium
from tests.e2e.served import Server


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path / "profile") as browser:
        yield browser


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "home") as server:
        yield server


@contextmanager
def serving(home: Path, **more: Any) -> Iterator[Server]:
    queue = InlineQueue()
    engine = build_engine(Settings(home=home, **more).checked(), ThumbnailEncoder(), queue)
    queue.handler = engine.indexer.handle
    server = Server(engine)
    try:
        yield server
    finally:
        server.close()
