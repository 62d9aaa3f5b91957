"""The PACS of the site over HTTP, their figures, and who watches them where there are no workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hmar.values.identity import EVERYDAY, Identity
from service.watching import Watching
from tests.orthanc_stub import StubOrthanc
from tests.phantoms import ct_file
from tests.service.asking import client_of, limited
from tests.service.conftest import Archive, build_archive

FILES = [ct_file(1, number) for number in range(1, 4)]
WAIT_S = 60.0


@pytest.fixture
def fed(tmp_path: Path) -> Iterator[Archive]:
    with StubOrthanc.serving(FILES) as orthanc:
        file = tmp_path / "pacs.toml"
        file.write_text(
            f'[main]\nroot = "{orthanc.url}/dicom-web"\n[other]\nroot = "{orthanc.url}/dicom-web"\n'
            f'[main.follow]\nkind = "orthanc"\nroot = "{orthanc.url}"\nevery_s = 0.05'
        )
        archive = build_archive(tmp_path / "home", pacs_file=str(file), redis_url="inline")
        yield archive
        archive.engine.close()


def test_how_far_each_pacs_is_followed_is_told_and_counted(fed: Archive) -> None:
    told = fed.client.get("/api/v1/pacs").json["pacs"]
    assert told[1] == {"name": "other", "followed": None}
    assert (told[0]["followed"]["cursor"], told[0]["followed"]["watched"]) == (None, False)
    [watcher] = fed.engine.watchers()
    while watcher.look():
        pass
    [told, _] = fed.client.get("/api/v1/pacs").json["pacs"]
    followed = told["followed"]
    assert (followed["cursor"], followed["arrived"], followed["only_there"]) == ("0", 3, 3)
    assert (followed["watched"], followed["behind"], followed["reason"]) == (True, 0, None)
    figures = fed.client.get("/metrics").text
    for line in (
        "hmar_pacs_behind 0.0",
        'hmar_pacs_drift_instances{only="there"} 3.0',
        'hmar_pacs_drift_instances{only="here"} 0.0',
        "hmar_pacs_failures_total 0.0",
        "hmar_pacs_sweeps_stopped 0.0",
        "hmar_pacs_unwatched 0.0",
    ):
        assert line in figures
    assert "hmar_pacs_lag_seconds" in figures


def test_a_key_for_some_collections_may_not_ask_for_pacs(fed: Archive) -> None:
    refused = client_of(fed, limited("some", "admin", "teaching")).get("/api/v1/pacs")
    assert refused.status_code == 403


def test_without_workers_a_thread_of_the_web_server_watches(fed: Archive) -> None:
    watching = Watching(fed.engine)
    watching.start()
    end = time.monotonic() + WAIT_S
    while fed.engine.catalogue.last_seq() < 3:
        assert time.monotonic() < end
        threading.Event().wait(0.02)
    watching.stop()
    watching._thread.join(WAIT_S)
    assert not fed.engine.storage.follows.followed("main").watched


def test_the_page_names_the_pacs_to_who_may_export_alone(fed: Archive) -> None:
    may = client_of(fed, Identity("may", frozenset({"search", "export"}))).get("/").text
    assert 'data-may="search export" data-pacs="main other"' in may
    may_not = client_of(fed, Identity("may-not", EVERYDAY)).get("/").text
    assert 'data-may="search index" data-pacs=""' in may_not


def test_the_page_opens_while_the_file_of_pacs_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "pacs.toml"
    archive = build_archive(tmp_path / "home", pacs_file=str(file))
    file.write_text("no table")
    page = client_of(archive, Identity("may", frozenset({"search", "export"}))).get("/")
    assert page.status_code == 200
    assert 'data-pacs=""' in page.text
    archive.engine.close()
