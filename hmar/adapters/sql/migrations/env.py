"""Run migrations on the connection that the program holds; there is no other way to run them."""

from alembic import context

from hmar.adapters.sql.schema import metadata

# The caller holds a transaction that also keeps other processes out; SQLite's DDL takes part in it.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
