"""The archive's part of the page in a browser: thousands of series, files to index, pages of operations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from hmar.adapters.memory import InlineQueue
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState, JobState
from tests.e2e.many_series import add_series
from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.phantoms import ROOT, ct_file, sop_uid

pytestmark = pytest.mark.slow

SERIES = 2000
MOST_ROWS = 60
"""Rows in the document, whatever the archive holds."""
ASKED = """return performance.getEntriesByType('resource').map(({ name }) => new URL(name))
  .filter(({ pathname }) => pathname.startsWith('/api/v1/series'))
  .map(({ pathname }) => pathname.split('/').pop())"""
PICTURES_SHOWN = """const pictures = [...document.querySelectorAll('.row-picture img')];
  return pictures.length > 0 && pictures.every((picture) => picture.complete && picture.naturalWidth > 0)"""
DROP = """const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(['no image'], 'dropped.txt'));
  arguments[0].dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))"""
IN_VIEW = """const row = document.querySelector('#series [aria-current=true]')?.getBoundingClientRect();
  const tree = document.querySelector('#series').getBoundingClientRect();
  return Boolean(row) && row.top >= tree.top - 1 && row.bottom <= tree.bottom + 1"""


def test_two_thousand_series_are_searched_read_by_keyboard_relabelled_and_deleted(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    add_series(server.engine, SERIES)
    page = Page(browser)
    page.log_in(server.login_link("search", "index", "label", "delete"))
    page.until(lambda: page.text("#series-count") == "2,000 series, 2,000 frames")
    page.until(lambda: browser.execute_script(PICTURES_SHOWN))
    browser.save_screenshot(str(tmp_path / "series.png"))
    rows = page.all("#series [role=treeitem]")
    assert 8 < len(rows) < MOST_ROWS
    assert rows[0].get_attribute("aria-expanded") == "true"
    asked = browser.execute_script(ASKED)
    assert asked.count("series") == 1
    assert len(asked) <= 1 + MOST_ROWS, "pictures of the rows in view alone"

    tree = page.find("#series")
    tree.send_keys(Keys.END)
    active = page.find(f"#{tree.get_attribute('aria-activedescendant')}")
    assert active.get_attribute("aria-setsize") == active.get_attribute("aria-posinset")
    assert len(page.all("#series [role=treeitem]")) < MOST_ROWS
    tree.send_keys(Keys.HOME)
    tree.send_keys(Keys.ARROW_LEFT)
    first = page.find(f"#{tree.get_attribute('aria-activedescendant')}")
    assert first.get_attribute("aria-expanded") == "false"

    text = page.find("#series-text")
    text.send_keys("ct abdomen 2015-01")
    page.until(lambda: page.text("#series-count") == "16 of 2,000 series, 16 frames")
    text.send_keys(Keys.ARROW_DOWN)
    assert browser.switch_to.active_element == tree
    tree.send_keys(Keys.ARROW_DOWN)
    tree.send_keys(Keys.ENTER)
    page.until(lambda: page.text("#frame-text") == "Image 1 of 1")
    text.clear()
    text.send_keys(Keys.SPACE)
    page.until(lambda: page.text("#series-count") == "2,000 series, 2,000 frames")
    Select(page.find("#series-group")).select_by_value("none")
    Select(page.find("#series-order")).select_by_value("uid")
    assert page.all("#series [aria-expanded]") == []

    page.find("#series .series").click()
    page.until(lambda: browser.execute_script(IN_VIEW))
    assert page.text("#row-name") == "MR HEAD"
    tree.send_keys(Keys.F2)
    page.find("dialog[open] [name=label]").send_keys("proven", Keys.ENTER)
    page.until(lambda: "proven" in page.text("#series [aria-current=true]"))
    page.until(lambda: page.all("dialog[open]") == [])

    Select(page.find("#series-group")).select_by_value("study")
    page.find("#series .study").click()
    tree.send_keys(Keys.DELETE)
    assert "study with 2 series" in page.text("dialog[open]")
    assert "2 frames in the collection default" in page.text("dialog[open]")
    assert not page.find("dialog[open] .danger").is_enabled()
    uid = re.search(r"UID (\S+)", page.text("dialog[open]"))
    assert uid is not None
    page.find("dialog[open] [name=end]").send_keys(uid[1][-4:], Keys.ENTER)
    page.until(lambda: page.text("#series-count") == "1,998 series, 1,998 frames")
    page.until(lambda: page.find("#welcome").is_displayed())
    assert page.mistakes() == []


def test_a_login_that_may_only_search_is_offered_nothing_else(
    server: Server, browser: webdriver.Chrome
) -> None:
    add_series(server.engine, 2)
    page = Page(browser)
    page.log_in(server.login_link("search"))
    page.open_series(0)
    page.until(lambda: not page.find("#indexing").is_displayed())
    assert not page.find("#row-actions").is_displayed()
    assert page.find("#open-files").is_enabled()
    assert page.mistakes() == []


def test_a_folder_is_indexed_with_its_names_and_its_job_goes_on_after_a_reload(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    folder = tmp_path / "scan"
    (folder / "deep").mkdir(parents=True)
    for number in range(1, 4):
        (folder / "deep" / f"{number}.dcm").write_bytes(ct_file(1, number))
    (folder / "notes.txt").write_text("no image")
    (folder / "DICOMDIR").write_bytes(b"left out")
    page = Page(browser)
    page.log_in(server.login_link("admin"))
    page.until(lambda: page.find("#empty-archive").is_displayed())
    page.find("#indexing summary").click()
    collection = page.find("#index-collection")
    collection.clear()
    collection.send_keys("teaching")
    page.find("#index-folder").send_keys(str(folder))
    page.until(lambda: page.text("#jobs .job-text") == "Indexed 3 files: 4 of 4 done, 1 failed")
    assert "scan/notes.txt" in page.text("#jobs .job-failures")
    assert page.text("#series-count") == "1 series, 3 frames"
    browser.save_screenshot(str(tmp_path / "indexed.png"))
    [item] = [
        item
        for job in server.engine.jobs.listed(list(JobState), 10)
        for item in server.engine.jobs.items(job.job_id, [ItemState.FAILED], 10)
    ]
    assert item.to_dict()["name"] == "notes.txt"
    buttons = {button.text: button for button in page.all("#jobs button") if button.is_displayed()}
    assert set(buttons) == {"Try again", "Dismiss"}
    buttons["Try again"].click()
    page.until(lambda: page.text("#jobs .job-text") == "Indexed 0 files: 1 of 1 done, 1 failed")

    # Another file takes the series' place; the series is all of its study, so that its UID is typed.
    page.find("#series").send_keys(Keys.HOME, Keys.ARROW_DOWN)
    page.find("#replace-row").click()
    (tmp_path / "other.dcm").write_bytes(ct_file(1, 7))
    page.find("dialog[open] [name=files]").send_keys(str(tmp_path / "other.dcm"))
    page.find("dialog[open] [name=end]").send_keys(f"{ROOT}.91"[-4:], Keys.ENTER)
    page.until(lambda: page.text("#jobs .job-text") == "Indexed 1 file: 1 of 1 done")
    assert page.text("#series-count") == "1 series, 1 frame"
    assert server.engine.catalogue.instance("teaching", sop_uid(1, 7)) != []

    browser.execute_script(DROP, page.find("#archive"))
    page.until(lambda: "dropped.txt" in page.text("#jobs .job-failures"))

    # Nobody works on this one: it waits.
    assert isinstance(server.engine.queue, InlineQueue)
    server.engine.queue.handler = lambda _: None
    server.engine.indexer.submit("default", Origin("import", "."))
    browser.refresh()
    page.until(lambda: page.text("#jobs .job-text").startswith("Waiting: 0 of 0 done"))
    page.find("#jobs .job-buttons button:not([hidden])").click()
    page.until(lambda: page.text("#jobs .job-text").startswith("Cancelled"))
    assert page.mistakes() == []


def test_a_series_is_told_as_being_replaced_and_nothing_of_it_stays_on_the_screen(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    folder = server.engine.settings.import_root / "chest"
    folder.mkdir(parents=True)
    for series in (1, 2):
        for number in range(1, 4):
            (folder / f"{series}-{number}.dcm").write_bytes(ct_file(series, number))
    server.engine.indexer.submit("default", Origin("import", "chest"))
    (tmp_path / "other.dcm").write_bytes(ct_file(1, 2, nodule=(60.0, 84.0)))
    page = Page(browser)
    page.log_in(server.login_link("admin"))
    page.open_series(1)
    page.search_all()
    page.find("#search").click()
    page.until(lambda: len(page.hits()) == 5)
    page.open_series(0)
    assert page.text("#frame-text") == "Image 2 of 3"

    # Nobody works on what is sent now: it waits.
    assert isinstance(server.engine.queue, InlineQueue)
    work, server.engine.queue.handler = server.engine.queue.handler, None
    page.find("#replace-row").click()
    page.find("dialog[open] [name=files]").send_keys(str(tmp_path / "other.dcm"))
    page.find("dialog[open] [name=end]").send_keys(f"{ROOT}.91"[-4:], Keys.ENTER)
    page.until(lambda: "being replaced" in page.series()[0].text and len(page.hits()) == 2)
    page.until(lambda: "0 of 1 done" in page.text("#jobs .job-text"))
    assert page.text("#frame-text") == ""
    assert not page.find("#row-actions").is_displayed()
    page.series()[0].click()
    page.until(lambda: "The series is being replaced" in page.text("#problem"))
    browser.save_screenshot(str(tmp_path / "replaced.png"))
    # Another search meanwhile knows nothing of it.
    page.series()[1].click()
    page.until(lambda: page.text("#frame-text") == "Image 2 of 3")
    page.find("#search").click()
    page.until(lambda: page.text("#hits-summary").startswith("2 frames"))

    server.engine.queue.handler = work
    server.engine.queue.enqueue([])
    # What was in memory of it is gone with the page, which begins anew.
    page.until(lambda: "1 frame" in page.series()[0].text and page.hits() == [])
    page.open_series(0)
    page.until(lambda: page.text("#frame-text") == "Image 1 of 1")
    shown = browser.execute_script("return {...document.getElementById('canvas').dataset}")
    assert shown["instance"] == sop_uid(1, 2)
    page.series()[1].click()
    page.until(lambda: page.text("#frame-text") == "Image 2 of 3")
    page.search_all()
    page.find("#search").click()
    page.until(lambda: page.text("#hits-summary").startswith("3 frames"))
    assert page.mistakes() == []


def test_operators_see_jobs_statistics_models_keys_and_the_audit_log(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    add_series(server.engine, 8)
    server.engine.indexer.submit("default", Origin("import", "nowhere"))
    page = Page(browser)
    page.log_in(server.login_link("admin"))
    page.find("#archive .operations-link").click()
    page.until(lambda: "nowhere" in page.text("#list") or page.text(".job-text").startswith("Failed"))
    browser.save_screenshot(str(tmp_path / "jobs.png"))

    def go_to(title: str) -> None:
        [link] = [link for link in page.all("nav a") if link.text == title]
        link.click()
        page.until(lambda: page.text("h1") == title and page.text("#status") != "Loading…")
        browser.save_screenshot(str(tmp_path / f"{title}.png"))
        assert not page.find("#problem").is_displayed(), page.text("#problem")

    go_to("Statistics")
    modality = page.find("#charts svg").get_attribute("aria-label")
    assert modality == "CT 4, MR 2, CR 2"
    assert "Frames\n8" in page.text("#figures")

    go_to("PACS")
    assert "knows no PACS" in page.text("#list")

    go_to("Models")
    assert "used by searches" in page.text("#list")
    assert "baseline without learning" in page.text("#card")

    go_to("Keys")
    page.find("#make").click()
    page.find("dialog[open] [name=name]").send_keys("study")
    page.find("dialog[open] [name='scope index']").click()
    page.find("dialog[open] [name=days]").send_keys("90", Keys.ENTER)
    page.until(lambda: page.find("#made").is_displayed())
    identity = server.engine.keys.verify(page.text("#secret"))
    assert identity is not None
    assert (identity.name, identity.scopes) == ("study", frozenset({"search"}))
    page.find("[aria-label='Revoke the key study']").click()
    page.find("dialog[open] .danger").click()
    page.until(lambda: "study" not in page.text("#list"))
    assert server.engine.keys.listed() == []

    go_to("Audit log")
    page.until(lambda: "makeKey" in page.text("#list"))
    assert "not verified yet" in page.text("#verdict")
    page.find("#operation").send_keys("revokeKey", Keys.ENTER)
    page.until(lambda: len(page.all("#list tbody tr")) == 1)
    assert page.mistakes() == []
