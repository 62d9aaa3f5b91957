"""A random mark on every log row, by which an index knows its log again.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_RANDOM = {
    "sqlite": "lower(hex(randomblob(16)))",
    "postgresql": "replace(gen_random_uuid()::text, '-', '')",
}


def upgrade() -> None:
    """Add the column, and mark the rows that are there."""
    op.add_column("log", sa.Column("mark", sa.String(32), nullable=True))
    op.execute(f"UPDATE log SET mark = {_RANDOM[op.get_bind().dialect.name]}")  # noqa: S608 - a constant
    with op.batch_alter_table("log") as batch:
        batch.alter_column("mark", existing_type=sa.String(32), nullable=False)
