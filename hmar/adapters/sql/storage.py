"""Everything that is kept in SQL, over one database."""

from __future__ import annotations

from pathlib import Path

from alembic.script import ScriptDirectory

from hmar.adapters.sql.audit import SqlAuditStore
from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database, migrations_config
from hmar.adapters.sql.feedback import SqlFeedbackStore
from hmar.adapters.sql.follows import SqlFollowStore
from hmar.adapters.sql.holdings import SqlPacsHoldings
from hmar.adapters.sql.integrity import SqlIntegrity
from hmar.adapters.sql.jobs import SqlJobStore
from hmar.adapters.sql.keys import SqlKeyStore
from hmar.adapters.sql.models import SqlModelStore
from hmar.adapters.sql.sessions import SqlSessionStore
from hmar.adapters.sql.slabs import SqlSlabStore
from hmar.adapters.sql.webhooks import SqlWebhookStore
from hmar.ports import Storage


def sql_storage(url: str | Path) -> Storage:
    """Open a database and bring its schema up to date.

    Parameters
    ----------
    url : str or Path
        SQLAlchemy URL, ``sqlite:///path`` or ``postgresql+psycopg://...``; or the path of a SQLite file.

    Raises
    ------
    ConfigError
        If the URL is neither, or a newer version of the program has written the database.
    """
    database = Database(url)
    database.migrate()
    return storage_of(database)


def storage_of(database: Database) -> Storage:
    """Return the stores of a database whose schema is up to date."""
    return Storage(
        SqlCatalogue(database),
        SqlModelStore(database),
        SqlSlabStore(database),
        SqlJobStore(database),
        SqlKeyStore(database),
        SqlSessionStore(database),
        SqlAuditStore(database),
        SqlWebhookStore(database),
        SqlFeedbackStore(database),
        SqlFollowStore(database),
        SqlPacsHoldings(database),
        SqlIntegrity(database),
        database,
        database.close,
    )


def known_schemas() -> frozenset[str]:
    """Return the revisions of the schema that this version can open."""
    scripts = ScriptDirectory.from_config(migrations_config())
    return frozenset(script.revision for script in scripts.walk_revisions())
