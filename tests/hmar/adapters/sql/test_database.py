from __future__ import annotations

import multiprocessing
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from hmar.adapters.sql import migrations
from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.rows import entry_row
from hmar.adapters.sql.schema import log, metadata
from hmar.errors import ConfigError, UnavailableError
from tests.contract.examples import ORIGIN, encoded, same_codes
from tests.samples import unknown

ROW = {"seq": 1, "kind": "add", "entry_id": 1, "collection": "default", "created_at": 0.0, "mark": "m"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some" / "where" / "catalogue.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{path}")) as database:
        database.migrate()
        yield database


def test_migrations_create_exactly_the_tables_that_the_program_uses(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_schema_can_be_written_for_postgresql() -> None:
    dialect = postgresql.dialect()
    for table in metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect))


def test_migrating_again_changes_nothing(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(log), ROW)
    database.migrate()
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM log")).scalar() == 1


def test_log_rows_of_the_first_release_get_marks_of_their_own(path: Path) -> None:
    script = str(Path(migrations.__file__).parent)
    with closing(Database(f"sqlite:///{path}")) as database:
        with database.write() as connection:
            config = Config()
            config.set_main_option("script_location", script)
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
            old = {name: value for name, value in ROW.items() if name != "mark"}
            statement = "INSERT INTO log VALUES (:seq, :kind, :entry_id, :collection, :created_at)"
            for seq in (1, 2):
                connection.execute(text(statement), {**old, "seq": seq})
        database.migrate()
        with database.read() as connection:
            rows = connection.execute(text("SELECT seq, collection, mark FROM log ORDER BY seq")).all()
    assert [(seq, collection) for seq, collection, _ in rows] == [(1, "default"), (2, "default")]
    assert [len(mark) for _, _, mark in rows] == [32, 32]
    assert rows[0][2] != rows[1][2]


def migrations_from(first: str) -> list[str]:
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    return [step.revision for step in script.walk_revisions() if step.revision >= first]


@pytest.mark.parametrize("revision", migrations_from("0002"))
def test_frames_of_before_a_column_do_not_know_it_and_keep_all_else(path: Path, revision: str) -> None:
    with closing(Database(f"sqlite:///{path}")) as database:
        with database.write() as connection:
            config = Config()
            config.set_main_option("script_location", str(Path(migrations.__file__).parent))
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            known = {column["name"] for column in inspect(connection).get_columns("entries")}
            nothing = {**unknown(), "pixel_aspect": None}
            old = encoded("1.1", **{name: value for name, value in nothing.items() if name not in known})
            names = ", ".join(f'"{name}"' for name in known)
            values = ", ".join(f":{name}" for name in known)
            row = {**dict.fromkeys(known), **entry_row(1, "default", old, ORIGIN)}
            connection.execute(text(f"INSERT INTO entries ({names}) VALUES ({values})"), row)
            connection.execute(insert(log), ROW)
        database.migrate()
        (logged,) = SqlCatalogue(database).tail(0, 9)
    assert {"modality", "body_part"} <= known
    assert ("label" in known) == (revision >= "0003")
    assert logged.encoded is not None
    assert same_codes(logged.encoded, old)


def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="another version"):
        database.migrate()


def test_the_files_are_private_and_their_folder_is_made(database: Database, path: Path) -> None:
    with database.write() as connection:
        connection.execute(insert(log), ROW)
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_sqlite_waits_checks_keys_and_keeps_what_it_committed(database: Database) -> None:
    expected = {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000, "synchronous": 2}
    with database.read() as connection:
        for pragma, value in expected.items():
            assert connection.execute(text(f"PRAGMA {pragma}")).scalar() == value, pragma


def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    def write_and_fail() -> None:
        with database.write() as connection:
            connection.execute(insert(log), ROW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM log")).scalar() == 0


def test_a_reader_sees_one_state_however_much_is_written_meanwhile(database: Database) -> None:
    with database.read() as reader:
        assert reader.execute(text("SELECT count(*) FROM log")).scalar() == 0
        with database.write() as writer:
            writer.execute(insert(log), ROW)
        assert reader.execute(text("SELECT count(*) FROM log")).scalar() == 0


@pytest.mark.parametrize("url", ["", "no url", "mysql://u:pw@h/d", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_cannot_be_used_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError) as raised:
        Database(url)
    assert "HMAR_DATABASE_URL" in raised.value.detail
    assert "pw" not in str(raised.value)


def test_a_database_that_fails_is_unavailable_and_shows_no_values(tmp_path: Path) -> None:
    row = {**ROW, "collection": "secret"}
    with (
        closing(Database(f"sqlite:///{tmp_path / 'empty.db'}")) as unmigrated,
        pytest.raises(UnavailableError) as raised,
        unmigrated.write() as connection,
    ):
        connection.execute(insert(log), row)
    assert "secret" not in str(raised.value)
    assert "secret" not in str(raised.value.__cause__)


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database" * 1000)
    with (
        closing(Database(f"sqlite:///{tmp_path / 'text.db'}")) as database,
        pytest.raises(UnavailableError),
    ):
        database.migrate()


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    database = Database(f"sqlite:///{tmp_path / 'file' / 'catalogue.db'}")
    with pytest.raises(UnavailableError):
        database.migrate()


def _migrate(url: str) -> None:
    with closing(Database(url)) as database:
        database.migrate()


@pytest.mark.slow
def test_processes_that_migrate_at_once_make_one_schema(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_migrate, args=(f"sqlite:///{path}",)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with closing(Database(f"sqlite:///{path}")) as database, database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM counter")).scalar() == 1


def _write_row(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(log), {**ROW, "seq": 2})


@pytest.mark.slow
def test_a_forked_process_uses_connections_of_its_own(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(log), ROW)
    child = multiprocessing.get_context("fork").Process(target=_write_row, args=(database,))
    child.start()
    child.join()
    assert child.exitcode == 0
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM log")).scalar() == 2
