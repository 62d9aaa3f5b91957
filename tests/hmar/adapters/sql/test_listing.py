"""Lists and counts read indexes alone: the rows of an archive are as long as their codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import event

from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.models import SqlModelStore
from hmar.values.entries import Origin
from hmar.values.wanted_studies import WantedStudies
from tests.contract.examples import MODEL, encoded

ASKED: dict[str, Callable[[Database], object]] = {
    "coverage": lambda database: SqlModelStore(database).coverage(MODEL),
    "frames by model": lambda database: SqlModelStore(database).frames(),
    "studies": lambda database: SqlCatalogue(database).studies(MODEL),
    "newest studies": lambda database: SqlCatalogue(database).studies(
        MODEL, wanted=WantedStudies(order="newest")
    ),
    "studies of a time": lambda database: SqlCatalogue(database).studies(
        MODEL, wanted=WantedStudies(modality="CT", since=date(2020, 1, 1))
    ),
    "patients": lambda database: SqlCatalogue(database).patient_list(MODEL),
    "patient keys": lambda database: SqlCatalogue(database).patient_keys(MODEL),
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "catalogue.db")) as database:
        database.migrate()
        frames = [encoded(f"1.{number}", patient_key=f"{number:064x}", label="x") for number in range(3)]
        SqlCatalogue(database).append("default", frames, Origin("import", "a.dcm"))
        yield database


@pytest.mark.parametrize("asked", ASKED)
def test_no_list_goes_through_the_rows(database: Database, asked: str) -> None:
    asked_for: list[tuple[str, object]] = []
    engine = database._engine
    event.listen(
        engine, "before_cursor_execute", lambda _c, _k, sql, values, *_: asked_for.append((sql, values))
    )
    ASKED[asked](database)
    selects = [(sql, values) for sql, values in asked_for if sql.lstrip().startswith("SELECT")]
    assert selects
    with database.read() as connection:
        for sql, values in selects:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
            through = [step for step in plan if step.startswith("SCAN entries")]
            assert all("COVERING INDEX" in step for step in through), plan
