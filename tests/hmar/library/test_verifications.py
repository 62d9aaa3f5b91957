"""Verifying in the background: each kind of damage is found, and told without names."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from pathlib import Path

import pytest

from hmar.adapters.memory import InlineQueue
from hmar.config import IN_MEMORY, Settings
from hmar.errors import ConflictError
from hmar.library import upkeep
from hmar.library.backups import Backups
from hmar.library.index_job import run_job
from hmar.library.verifications import Verifications
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.entries import Origin
from hmar.values.findings import State
from hmar.values.verifications import Verification
from hmar.wiring import build_engine
from tests.hmar.adapters.sql.damage import flip_bit, flip_value
from tests.phantoms import ct_file, series_uid, sop_uid

PARTS = ["database file", "rows", "log", "damaged rows", "uploads", "audit log", "snapshots"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of an archive of two uploads with a snapshot."""
    queue = InlineQueue()
    settings = Settings(home=tmp_path, model_dir="thumbnail").checked()
    with closing(build_engine(settings, ThumbnailEncoder(), queue)) as engine:
        run_job(engine, queue, "sent", Origin("upload", ""), [ct_file(1, 1), ct_file(1, 2)])
        engine.searcher.refresh()
        engine.index.snapshot()
    return settings


def verified(settings: Settings) -> Verification:
    verifications = Verifications(settings)
    assert verifications.ask().state == "waiting"
    assert verifications.do_waiting()
    last = verifications.last()
    assert last is not None
    assert Verification.from_dict(last.to_dict()) == last
    return last


def failed(verification: Verification) -> set[str]:
    return {one.part for one in verification.findings if one.state is State.FAILED}


def test_an_intact_archive_is_healthy(settings: Settings) -> None:
    assert Verifications(settings).last() is None
    last = verified(settings)
    assert (last.state, last.healthy, last.ended) == ("done", True, True)
    assert [one.part for one in last.findings] == PARTS


def test_each_damage_is_found_and_told_without_names(settings: Settings) -> None:
    upload = next(path for path in settings.upload_root.glob("??/*"))
    flip_bit(upload, 8 * 600)
    array = next(settings.index_root.glob("*/gen-*/window_codes.npy"))
    flip_bit(array, 8 * (array.stat().st_size - 1))
    flip_value(settings.database_file, "entries", "rows", "entry_id = 1")
    flip_value(settings.database_file, "log", "mark", "seq = 2")
    last = verified(settings)
    assert (last.healthy, failed(last)) == (False, {"rows", "log", "uploads", "snapshots"})
    assert all(one.remedy for one in last.findings if one.state is State.FAILED)
    told = json.dumps(last.to_dict())
    for name in (upload.name, sop_uid(1, 1), sop_uid(1, 2), series_uid(1), str(settings.home)):
        assert name not in told


def test_rows_that_wait_are_counted_and_not_named(settings: Settings) -> None:
    flip_value(settings.database_file, "entries", "rows", "entry_id = 1")
    with closing(build_engine(settings)) as engine:
        assert engine.storage.integrity.take_out([1]) == 1
        [row] = engine.storage.integrity.damaged_rows()
    last = verified(settings)
    assert "damaged rows" in failed(last)
    assert row.sop_instance_uid not in json.dumps(last.to_dict())


def test_a_database_that_is_gone_is_told_and_ends_nothing(settings: Settings) -> None:
    data = bytearray(settings.database_file.read_bytes())
    data[200:] = bytes(len(data) - 200)
    settings.database_file.write_bytes(data)
    last = verified(settings)
    assert last.healthy is not True
    assert last.problem or failed(last)


def test_one_is_made_at_a_time_and_none_of_an_archive_in_memory(settings: Settings) -> None:
    Verifications(settings).ask()
    with pytest.raises(ConflictError, match="waiting"):
        Verifications(settings).ask()
    memory = Verifications(Settings(database_url=IN_MEMORY).checked())
    with pytest.raises(ConflictError, match="memory"):
        memory.ask()
    assert (memory.last(), memory.do_waiting()) == (None, False)


def test_upkeep_does_what_waits_until_it_is_stopped(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LOOK_S", 0.01)
    Backups(settings).ask()
    Verifications(settings).ask()
    stopped = threading.Event()
    thread = threading.Thread(target=upkeep.upkeep_forever, args=(settings, stopped))
    thread.start()
    try:
        while not ((last := Verifications(settings).last()) and last.ended):
            assert thread.is_alive()
            stopped.wait(0.01)
    finally:
        stopped.set()
        thread.join()
    assert last.healthy
    assert [one.state for one in Backups(settings).listed()] == ["verified"]
