"""Backups and verifications over HTTP, for who administers the whole archive."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import hmar
from hmar.errors import BackupError, ConflictError, UnavailableError
from hmar.library import upkeep as library_upkeep
from hmar.library.backups import Backups
from hmar.library.verifications import Verifications
from service.upkeep import Upkeep
from tests.hmar.adapters.sql.damage import flip_bit
from tests.hmar.client.conftest import Served, serve
from tests.phantoms import ct_file, sop_uid
from tests.service.asking import REQUESTS, Target, client_of, limited
from tests.service.conftest import Archive, build_archive
from tests.service.test_deletions import upload

BACKUPS = "/api/v1/archive/backups"
VERIFICATIONS = "/api/v1/archive/verifications"


@pytest.fixture
def kept(tmp_path: Path) -> Archive:
    """An archive of one upload, which a worker would open with the same model."""
    archive = build_archive(tmp_path / "kept", model_dir="thumbnail")
    upload(archive, ct_file(1, 1))
    return archive


@pytest.fixture
def served(kept: Archive, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The same behind a server whose upkeep is done at once."""
    monkeypatch.setattr(library_upkeep, "LOOK_S", 0.01)
    keeping = Upkeep(replace(kept.engine.settings, redis_url="inline"))
    keeping.start()
    yield from serve(kept)
    keeping.stop()
    keeping._thread.join()


def test_a_backup_is_asked_for_made_and_listed(kept: Archive) -> None:
    client = kept.client
    assert client.get(BACKUPS).get_json() == {"backups": []}
    asked = client.post(BACKUPS)
    assert (asked.status_code, asked.get_json()["state"]) == (202, "waiting")
    assert client.get(BACKUPS).get_json()["backups"] == [asked.get_json()]
    again = client.post(BACKUPS)
    assert (again.status_code, again.get_json()["type"]) == (409, "/problems/conflict")
    assert Backups(kept.engine.settings).do_waiting()
    [made] = client.get(BACKUPS).get_json()["backups"]
    assert (made["name"], made["state"], made["checks"]["uploads"]) == (
        asked.get_json()["name"],
        "verified",
        1,
    )
    assert str(kept.engine.settings.home) not in client.get(BACKUPS).text


def test_one_without_room_is_refused(tmp_path: Path) -> None:
    archive = build_archive(tmp_path, min_free_mb=1 << 40)
    answer = archive.client.post(BACKUPS)
    assert (answer.status_code, "HMAR_KEPT_BACKUPS" in answer.get_json()["remedy"]) == (409, True)
    assert archive.client.get(BACKUPS).get_json() == {"backups": []}


def test_a_verification_is_asked_for_made_and_told(kept: Archive) -> None:
    client = kept.client
    assert client.get(VERIFICATIONS).get_json() == {"verification": None}
    asked = client.post(VERIFICATIONS)
    assert (asked.status_code, asked.get_json()["state"], asked.get_json()["healthy"]) == (
        202,
        "waiting",
        None,
    )
    assert client.get(VERIFICATIONS).get_json() == {"verification": asked.get_json()}
    assert client.post(VERIFICATIONS).status_code == 409
    flip_bit(next(kept.engine.settings.upload_root.glob("??/*")), 8 * 600)
    assert Verifications(kept.engine.settings).do_waiting()
    answer = client.get(VERIFICATIONS)
    told = answer.get_json()["verification"]
    states = {one["part"]: one["state"] for one in told["findings"]}
    assert (told["state"], told["healthy"], states["uploads"], states["rows"]) == (
        "done",
        False,
        "failed",
        "ok",
    )
    assert sop_uid(1, 1) not in answer.text


def test_a_key_that_is_limited_to_collections_is_refused(kept: Archive) -> None:
    client = client_of(kept, limited("lung-admin", "admin", "lung"))
    target = Target("1.2", "1.2", "1.2", "x", "lung")
    for operation_id in ("listBackups", "makeBackup", "readVerification", "verifyArchive"):
        answer = REQUESTS[operation_id].ask(client, operation_id, target)
        assert (answer.status_code, "limited" in answer.text) == (403, True), operation_id
    assert kept.client.get(BACKUPS).get_json() == {"backups": []}


def test_nothing_of_where_it_goes_comes_from_a_request(kept: Archive) -> None:
    before = {path.name for path in kept.engine.settings.home.parent.iterdir()}
    kept.client.post(f"{BACKUPS}?path=/tmp/elsewhere", json={"path": "../elsewhere"})
    Backups(kept.engine.settings).do_waiting()
    assert {path.name for path in kept.engine.settings.home.parent.iterdir()} == before


@pytest.mark.slow
def test_a_client_waits_for_a_backup_and_a_verification(served: Served) -> None:
    client = served.client()
    made = client.back_up(look_s=0.01)
    assert client.backups() == [made]
    assert (made.state, made.ended) == ("verified", True)
    found = client.verify(look_s=0.01)
    assert (found.healthy, client.last_verification()) == (True, found)
    flip_bit(next(served.archive.engine.settings.upload_root.glob("??/*")), 8 * 600)
    with pytest.raises(BackupError, match="damaged"):
        client.back_up(look_s=0.01)
    assert [one.state for one in client.backups()] == ["failed", "verified"]


@pytest.mark.slow
def test_a_client_says_that_nobody_begins(kept: Archive) -> None:
    def ask(client: hmar.Client) -> None:
        assert client.last_verification() is None
        for call in (client.back_up, client.verify):
            with pytest.raises(UnavailableError, match="No worker"):
                call(look_s=0.01, stalled_s=0.0)
            with pytest.raises(ConflictError):
                call(look_s=0.01, stalled_s=0.0)

    for served in serve(kept):
        ask(served.client())


def test_upkeep_has_no_thread_where_there_are_workers(kept: Archive) -> None:
    before = set(threading.enumerate())
    keeping = Upkeep(kept.engine.settings)
    keeping.start()
    assert set(threading.enumerate()) <= before
    keeping.stop()
