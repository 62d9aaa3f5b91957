"""Alembic's scripts, run by :meth:`hmar.adapters.sql_database.Database.migrate`."""
