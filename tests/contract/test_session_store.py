from __future__ import annotations

import pytest

from hmar.adapters.sql.database import Database
from hmar.adapters.sql.sessions import SqlSessionStore
from hmar.ports import SessionStore
from tests.contract.examples import Clock


def test_a_session_lasts_until_it_is_ended(sessions: SessionStore) -> None:
    one, other = sessions.begin(60.0), sessions.begin(60.0)
    assert one != other
    assert sessions.holds(one)
    assert sessions.end(one)
    assert not sessions.end(one)
    assert (sessions.holds(one), sessions.holds(other)) == (False, True)


def test_a_session_ends_with_its_time(sessions: SessionStore, clock: Clock) -> None:
    secret = sessions.begin(60.0)
    clock.now += 59.0
    assert sessions.holds(secret)
    clock.now += 1.0
    assert not sessions.holds(secret)


@pytest.mark.parametrize("wrong", ["", "x", "é", "\udcff", "x" * 10_000])
def test_what_was_never_begun_is_no_session(sessions: SessionStore, wrong: str) -> None:
    sessions.begin(60.0)
    assert not sessions.holds(wrong)
    assert not sessions.end(wrong)


def test_an_ended_session_leaves_no_row_and_no_secret_is_kept(sqlite: Database, clock: Clock) -> None:
    store = SqlSessionStore(sqlite, clock)

    def rows() -> list[str]:
        with sqlite.read() as connection:
            return [str(row[0]) for row in connection.exec_driver_sql("SELECT sha256 FROM sessions")]

    secret = store.begin(60.0)
    assert len(rows()) == 1
    assert secret not in rows()
    clock.now += 60.0
    later = store.begin(60.0)
    assert len(rows()) == 1
    store.end(later)
    assert rows() == []
