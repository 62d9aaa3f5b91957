"""Alembic's scripts, run by :meth:`hmar.adapters.sql.database.Database.migrate`."""
