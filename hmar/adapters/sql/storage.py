"""Everything that is kept in SQL, over one database."""

from __future__ import annotations

from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.jobs import SqlJobStore
from hmar.adapters.sql.keys import SqlKeyStore
from hmar.adapters.sql.sessions import SqlSessionStore
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
        SqlSessionStore(database),
        database.close,
    )
