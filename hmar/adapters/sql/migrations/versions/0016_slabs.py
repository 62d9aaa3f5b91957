"""Slabs: where a frame lies in its stack, how thick the slabs of a collection are, and who stands for whom.

The rows that are there know no stack: each keeps its own windows.

Revision ID: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, their index and the table."""
    op.add_column("entries", sa.Column("stack", sa.String(16)))
    op.add_column("entries", sa.Column("along_mm", sa.Float(53)))
    op.add_column("entries", sa.Column("held_back", sa.Boolean()))
    known = sa.text("stack IS NOT NULL")
    op.create_index(
        "ix_entries_stack",
        "entries",
        ["series_uid", "stack", "along_mm"],
        sqlite_where=known,
        postgresql_where=known,
    )
    op.create_table(
        "slabs",
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("slab_mm", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("collection", name="pk_slabs"),
    )
