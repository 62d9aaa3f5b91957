"""A volume of 600 slices in the page: each is drawn, none is skipped, and the memory keeps its bound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from hmar.values.entries import Origin
from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.hmar.dicom.build import image

pytestmark = pytest.mark.slow

SLICES, SIDE = 600, 512
WAIT_S = 300
FRAME_BYTES = 2 * SIDE * SIDE
PROBE = Path(__file__).with_name("probes").joinpath("volume.js").read_text()


def index_volume(server: Server) -> None:
    folder = server.engine.settings.import_root / "volume"
    folder.mkdir(parents=True)
    values = np.zeros((SIDE, SIDE), np.int16)
    for place in range(1, SLICES + 1):
        values[place % SIDE] = place
        data = image(
            values,
            Modality="CT",
            RescaleSlope=1,
            RescaleIntercept=0,
            SOPInstanceUID=f"1.2.7.{place}",
            InstanceNumber=place,
            ImagePositionPatient=[0, 0, -place],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        )
        (folder / f"{place}.dcm").write_bytes(data)
    server.engine.indexer.submit("default", Origin("import", "volume"))


def test_a_volume_is_scrolled_end_to_end_each_slice_is_drawn_and_the_memory_keeps_its_bound(
    server: Server, browser: webdriver.Chrome
) -> None:
    index_volume(server)
    page, waiting = Page(browser), WebDriverWait(browser, WAIT_S)

    def ask(expression: str) -> Any:
        return browser.execute_script(f"return window.volume.{expression}")

    page.log_in(server.login_link())
    assert browser.execute_async_script(PROBE) is None
    page.open_series(0)
    waiting.until(lambda _: ask(f"held() === {SLICES}"))
    ask("goTo(0)")
    page.until(lambda: page.text("#frame-text") == f"Image 1 of {SLICES}")
    ask(f"scroll({SLICES - 1})")
    waiting.until(lambda _: ask("isDone()"))
    keys = ask("keys()")
    assert len(keys) == SLICES
    assert ask("drawn") == keys
    assert ask("bytes()") == SLICES * FRAME_BYTES

    # With less memory for frames, those near the one on the screen stay, and what is asked for still comes.
    ask(f"bound({40 * FRAME_BYTES})")
    for index in (300, 0, 599):
        ask(f"goTo({index})")
        page.until(lambda index=index: page.text("#frame-text") == f"Image {index + 1} of {SLICES}")
        waiting.until(lambda _: ask("isNear(12)"))
        assert ask("bytes()") <= 40 * FRAME_BYTES
    ask("scroll(-100)")
    waiting.until(lambda _: ask("isDone()"))
    assert page.text("#frame-text") == f"Image {SLICES - 100} of {SLICES}"
    assert ask("most()") <= 41 * FRAME_BYTES
    assert page.mistakes() == []
