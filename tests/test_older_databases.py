"""A data directory of each schema that there was, with rows in every table, opened by today's product."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from pydicom import dcmread
from sqlalchemy import text

from hmar.adapters.memory import InlineQueue
from hmar.adapters.sql import migrations
from hmar.adapters.sql.database import Database
from hmar.cli import OPERATOR_ERROR, main
from hmar.config import Settings
from hmar.library.index_job import run_job
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.deletion import Selector
from hmar.values.entries import Origin
from hmar.values.identity import EVERYDAY, PAGE_LOGIN, Identity, administrator
from hmar.values.jobs import ItemState, JobState, Message
from hmar.values.references import reference_of
from hmar.values.selection import Selection
from hmar.wiring import Engine, build_engine
from tests.phantoms import ct_file, sop_uid

FILES = 4
DONE = 2
SCRIPTS = str(Path(migrations.__file__).parent)
REVISIONS = sorted(step.revision for step in ScriptDirectory(SCRIPTS).walk_revisions())


@dataclass
class Old:
    """A data directory whose job was interrupted after two of four files."""

    home: Path
    images: Path
    key: str
    login: str


def engine_of(home: Path) -> tuple[Engine, InlineQueue]:
    queue = InlineQueue()
    return build_engine(
        Settings(home=home, model_dir="thumbnail").checked(), ThumbnailEncoder(), queue
    ), queue


def without_orientation(content: bytes) -> bytes:
    """Return a slice that lies in no stack: older versions kept none, and rows are sealed with theirs."""
    file = dcmread(io.BytesIO(content))
    del file.ImageOrientationPatient
    written = io.BytesIO()
    file.save_as(written)
    return written.getvalue()


def write_halfway(home: Path, images: Path) -> Old:
    """Fill every table with what today's product writes, and stop in the middle of a job."""
    images.mkdir()
    for number in range(1, FILES + 1):
        (images / f"{number}.dcm").write_bytes(without_orientation(ct_file(1, number)))
    engine, _ = engine_of(home)
    with closing(engine):
        jobs, origin = engine.jobs, Origin("local", reference_of(images))
        job_id = jobs.create("default", origin)
        ids = jobs.add_items(job_id, list(engine.sources["local"].list(origin.reference)))
        for item_id in ids[:DONE]:
            engine.indexer.handle(Message("item", str(item_id)))
        jobs.claim(ids[DONE], 60, 3)
        failed = jobs.create("default", Origin("import", "gone"))
        jobs.fail_job(failed, "There is no such folder.")
        engine.catalogue.delete(Selector("series", "none"), "default")
        return Old(
            home,
            images,
            engine.keys.create(administrator("pacs")),
            engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 900),
        )


def as_revision(file: Path, revision: str) -> None:
    """Rewrite a database as the schema of a revision has it; what that did not know is lost."""
    new = file.with_name("new.db")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.rename(new)
    with closing(Database(file)) as database, database.write() as connection:
        config = Config()
        config.set_main_option("script_location", SCRIPTS)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ATTACH ? AS new", (str(new),))
        tables = connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            if table not in ("alembic_version", "sqlite_sequence"):
                copy_table(connection, table)
        connection.execute("UPDATE items SET lease_until = 0")
        connection.commit()
    new.unlink()


def copy_table(connection: sqlite3.Connection, table: str) -> None:
    names = [row[1] for row in connection.execute(f"PRAGMA main.table_info({table})")]
    listed = ", ".join(f'"{name}"' for name in names)
    connection.execute(f"DELETE FROM main.{table}")
    connection.execute(f"INSERT INTO main.{table} ({listed}) SELECT {listed} FROM new.{table}")


@pytest.fixture(params=REVISIONS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Old:
    found = write_halfway(tmp_path / "home", tmp_path / "images")
    as_revision(found.home / "catalogue.db", request.param)
    return found


@pytest.mark.slow
def test_what_an_older_version_wrote_is_found_its_job_goes_on_and_its_keys_work(old: Old) -> None:
    engine, queue = engine_of(old.home)
    with closing(engine):
        assert engine.keys.verify(old.key) == administrator("pacs")
        assert engine.keys.redeem_login(old.login) == Identity(PAGE_LOGIN, EVERYDAY)
        assert found(engine, old) == {sop_uid(1, number) for number in range(1, DONE + 1)}
        [interrupted] = engine.jobs.unfinished({JobState.RUNNING, JobState.QUEUED})
        job = run_job(engine, queue, "default", Origin("local", reference_of(old.images)))
        assert (job.job_id, job.state, job.frames) == (interrupted.job_id, JobState.DONE, FILES)
        assert job.counts[ItemState.INDEXED] == FILES
        assert found(engine, old) == {sop_uid(1, number) for number in range(1, FILES + 1)}


def found(engine: Engine, old: Old) -> set[str]:
    """Search with a file of the archive, and read each hit's file again."""
    query = engine.decoder.open((old.images / "1.dcm").read_bytes()).frame(1)
    hits = list(engine.searcher.answer(query, (), 10, None, Selection(), 128))
    assert all(engine.frame(hit.entry).info.sop_instance_uid for hit in hits)
    return {hit.entry.info.sop_instance_uid for hit in hits}


def test_a_database_of_a_newer_version_is_refused_in_one_line(tmp_path: Path) -> None:
    build_engine(Settings(home=tmp_path).checked()).storage.close()
    with closing(Database(tmp_path / "catalogue.db")) as database, database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    result = CliRunner(env={"HMAR_HOME": str(tmp_path)}).invoke(main, ["keys", "list"])
    assert result.exit_code == OPERATOR_ERROR
    assert result.stderr == (
        "Error: The database was written by another version of this program. "
        "Run the version that wrote it, or a newer one.\n"
    )
