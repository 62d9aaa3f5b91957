"""The database: connections, transactions, migrations, and every difference between SQLite and PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from hmar.adapters.sql import migrations
from hmar.adapters.sql.failures import DamagedDatabaseError, damaged, operator_error
from hmar.adapters.sql.wal_damage import WalDamage
from hmar.errors import ConfigError
from hmar.locks import locked

_BUSY_MS = 30_000
EMPTYING_MS = 5_000
"""How long a delete waits for readers of the write-ahead log."""
_COPIED_PAGES = 1000
_PG_MIGRATION_LOCK = 0x484D4152
"""Key of an advisory lock: any number that other programs do not use."""


UNREADABLE = (DamagedDatabaseError, ValueError, TypeError)
"""What reading a damaged row raises; the last two come from values that are none of their column's type."""


class Database:
    """A SQLite file or a PostgreSQL database. Thread-safe; connections are made when first needed.

    Parameters
    ----------
    url : str or Path
        SQLAlchemy URL, ``sqlite:///path`` or ``postgresql+psycopg://...``; or the path of a SQLite file.

    Raises
    ------
    ConfigError
        If the URL is neither.
    """

    def __init__(self, url: str | Path) -> None:
        try:
            parsed = make_url(url) if isinstance(url, str) else URL.create("sqlite", database=str(url))
            is_sqlite = parsed.get_backend_name() == "sqlite"
            # Parameters hold UIDs: they are kept out of messages and logs. A pooled connection to a server
            # is tried before it is used, for that may have been restarted.
            self._engine = create_engine(parsed, hide_parameters=True, pool_pre_ping=not is_sqlite)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise _bad_url() from error
        self._process = os.getpid()
        self._file: Path | None = None
        self.wal_damage: WalDamage | None = None
        if is_sqlite:
            if parsed.database in (None, "", ":memory:"):
                raise _bad_url()
            self._file = Path(str(parsed.database)).absolute()
            self.wal_damage = WalDamage(self._file)
            _prepare_sqlite(self._engine, self._file)
        elif parsed.get_backend_name() != "postgresql":
            raise _bad_url()

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of SQLite."""
        return self._file is not None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database and changes nothing."""
        with translated(), self._connect() as connection:
            if self._file is None:  # by default, PostgreSQL shows each statement the state of its own moment
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that commits as a whole at the end of the context, or not at all."""
        with translated(), self._connect() as connection:
            connection = connection.execution_options(hmar_write=True)
            with connection.begin():
                yield connection

    def lock_table(self, connection: Connection, table: str) -> None:
        """Wait for whoever else holds a table locked; readers go on. SQLite has but one writer anyway."""
        if self._file is None:
            connection.exec_driver_sql(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")

    def migrate(self) -> None:
        """Bring the schema up to date; safe when several processes do it at once.

        Raises
        ------
        ConfigError
            If a newer version of the program has written the database.
        """
        config = migrations_config()
        with self._migration_lock():
            if self.wal_damage is not None:
                self.wal_damage.look()
            self._use_write_ahead_log()
            with self.write() as connection:
                if self._file is None:
                    connection.execute(
                        text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PG_MIGRATION_LOCK}
                    )
                config.attributes["connection"] = connection
                try:
                    command.upgrade(config, "head")
                except CommandError as error:
                    raise ConfigError(
                        "The database was written by another version of this program.",
                        "Run the version that wrote it, or a newer one.",
                    ) from error
        # A process that was killed may have left what was deleted. Whoever is at work goes first.
        self.empty_write_ahead_log(wait_ms=0)

    def revision(self) -> str:
        """Return the revision of the schema."""
        with self.read() as connection:
            return str(connection.scalar(text("SELECT version_num FROM alembic_version")))

    def copy(self, target: Path, progress: Callable[[int, int], None]) -> bool:
        """Write one state of a SQLite database to a new file, while others write; told (pages done, pages).

        The copy is checked. Returns False for PostgreSQL, which has a tool of its own.
        """
        if self._file is None:
            return False
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        self._copy(target, progress)
        return True

    def _copy(self, target: Path, progress: Callable[[int, int], None]) -> None:
        with self.read() as connection, closing(sqlite3.connect(target)) as copy:
            # A reader's snapshot: it is what is copied, whatever is written meanwhile.
            connection.execute(text("SELECT version_num FROM alembic_version")).all()
            source: Any = connection.connection.driver_connection
            source.backup(
                copy, pages=_COPIED_PAGES, progress=lambda _, left, pages: progress(pages - left, pages)
            )
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
            if copy.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise damaged()

    def empty_write_ahead_log(self, wait_ms: int = EMPTYING_MS) -> bool:
        """Copy SQLite's write-ahead log to the database and empty it; return whether it could be done.

        It holds pages as they were before a change, with what was deleted. Waits so long for readers and
        writers, who wait meanwhile.
        """
        if self._file is None:
            return True
        with translated(), self._connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout = {wait_ms}")
            try:
                busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            except sqlite3.OperationalError:
                return False  # locked while another process recovers or empties it, or the disk is full
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        return not busy

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        self._engine.dispose()

    def _connect(self) -> Connection:
        if self._process != os.getpid():
            # A connection that crossed a fork belongs to the parent: forget it, do not close it.
            self._engine.dispose(close=False)
            self._process = os.getpid()
        return self._engine.connect()

    @contextmanager
    def _migration_lock(self) -> Iterator[None]:
        if self._file is None:
            yield
            return
        with ExitStack() as held:
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                lock = self._file.with_name(f"{self._file.name}.lock")
                held.enter_context(locked(lock, exclusive=True, wait=True))
            except OSError as error:
                raise operator_error(error) from error
            yield

    def _use_write_ahead_log(self) -> None:
        """Let readers and a writer work at once. Kept in the file; cannot change within a transaction."""
        if self._file is not None:
            with translated(), self._connect() as connection:
                connection.connection.cursor().execute("PRAGMA journal_mode = WAL")


def migrations_config() -> Config:
    """Return what Alembic wants to know of the migrations."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    return config


def _prepare_sqlite(engine: Engine, file: Path) -> None:
    """Make SQLite's transactions explicit, and its file private."""

    @event.listens_for(engine, "do_connect")
    def create_privately(*_: Any) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            # Only if absent: to close a second descriptor of the file would drop SQLite's locks on it.
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return
        except OSError as error:
            raise operator_error(error) from error

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver begins no transaction of its own
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        cursor.execute("PRAGMA foreign_keys = ON")
        # FULL syncs the log at each commit: "indexed" must still be true after a power cut, for a worker
        # then forgets the message. NORMAL would only keep the file consistent.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA secure_delete = ON")  # deleted codes are gone from the file too
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that began with a read cannot wait for another writer when it comes to write.
        write = connection.get_execution_options().get("hmar_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def translated() -> Iterator[None]:
    """Turn a failing database into the error that an operator understands."""
    try:
        yield
    except DBAPIError as error:
        raise operator_error(error.orig) from error
    except (PoolTimeoutError, sqlite3.Error) as error:
        raise operator_error(error) from error


def _bad_url() -> ConfigError:
    # The URL itself may hold a password.
    return ConfigError(
        "HMAR_DATABASE_URL is no database that can be used.",
        'Give sqlite:///path/to/file, postgresql+psycopg://user:password@host/name (extra "postgres"), or '
        "memory:.",
    )
