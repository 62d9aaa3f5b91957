"""Everything that is kept in SQL, over one database."""

from __future__ import annotations

from alembic.config import Config
from alembic.script import ScriptDirectory

from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database, script_location
from hmar.adapters.sql.integrity import SqlIntegrity
from hmar.adapters.sql.jobs import SqlJobStore
from hmar.adapters.sql.keys import SqlKeyStore
from hmar.ports import Storage


def sql_storage(url: str) -> Storage:
    """Open a database and bring its schema up to date.

    Parameters
    ----------
    url : str
        SQLAlchemy URL: ``sqlite:///path`` or ``postgresql+psycopg://...``.

    Raises
    ------
    ConfigError
        If the URL is neither, or a newer version of the program has written the database.
    """
    database = Database(url)
    database.migrate()
    return Storage(
        SqlCatalogue(database),
        SqlJobStore(database),
        SqlKeyStore(database),
        SqlIntegrity(database),
        database,
        database.close,
    )


def known_schemas() -> frozenset[str]:
    """Return the revisions of the schema that this version can open."""
    config = Config()
    config.set_main_option("script_location", script_location())
    return frozenset(script.revision for script in ScriptDirectory.from_config(config).walk_revisions())
