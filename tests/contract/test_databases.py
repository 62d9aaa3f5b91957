"""What stores count on of a database."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.schema import entries
from tests.contract.conftest import STORES
from tests.contract.examples import ORIGIN, Clock, encoded


@pytest.fixture(params=STORES[1:])
def database(request: pytest.FixtureRequest) -> Database:
    database: Database = request.getfixturevalue(request.param)
    return database


def test_a_read_sees_one_state_whatever_is_written_meanwhile(database: Database) -> None:
    catalogue, count = SqlCatalogue(database, Clock()), select(func.count()).select_from(entries)
    catalogue.append("a", [encoded("1.1")], ORIGIN)
    with database.read() as connection:
        assert connection.scalar(count) == 1
        catalogue.append("a", [encoded("1.2")], ORIGIN)
        assert connection.scalar(count) == 1
    with database.read() as connection:
        assert connection.scalar(count) == 2
