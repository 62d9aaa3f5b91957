from __future__ import annotations

import pytest

from hmar.adapters.sql.database import Database
from hmar.adapters.sql.sessions import SqlSessionStore
from hmar.ports import SessionStore
from hmar.values.identity import PAGE_LOGIN, Identity
from tests.contract.examples import Clock

READER = Identity(PAGE_LOGIN, frozenset({"search"}), frozenset({"lung"}))


def test_a_session_lasts_until_it_is_ended(sessions: SessionStore) -> None:
    one, other = sessions.begin(READER, 60.0), sessions.begin(READER, 60.0)
    assert one != other
    assert sessions.whose(one) == READER
    assert sessions.end(one)
    assert not sessions.end(one)
    assert (sessions.whose(one), sessions.whose(other)) == (None, READER)


def test_a_session_ends_with_its_time(sessions: SessionStore, clock: Clock) -> None:
    secret = sessions.begin(READER, 60.0)
    clock.now += 59.0
    assert sessions.whose(secret) == READER
    clock.now += 1.0
    assert sessions.whose(secret) is None


@pytest.mark.parametrize("wrong", ["", "x", "é", "\udcff", "x" * 10_000])
def test_what_was_never_begun_is_no_session(sessions: SessionStore, wrong: str) -> None:
    sessions.begin(READER, 60.0)
    assert sessions.whose(wrong) is None
    assert not sessions.end(wrong)


def test_an_ended_session_leaves_no_row_and_no_secret_is_kept(sqlite: Database, clock: Clock) -> None:
    store = SqlSessionStore(sqlite, clock)

    def rows() -> list[str]:
        with sqlite.read() as connection:
            return [str(row[0]) for row in connection.exec_driver_sql("SELECT sha256 FROM sessions")]

    secret = store.begin(READER, 60.0)
    assert len(rows()) == 1
    assert secret not in rows()
    clock.now += 60.0
    later = store.begin(READER, 60.0)
    assert len(rows()) == 1
    store.end(later)
    assert rows() == []
