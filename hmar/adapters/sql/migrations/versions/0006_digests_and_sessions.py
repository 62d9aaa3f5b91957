"""Digests, rows found damaged, checks of secrets, sessions of the page, and indexes to delete by.

The rows that are there have no digests: they are taken as they are.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns and the tables."""
    for name in ("file_sha256", "pixel_digest", "header_digest", "code_digest", "row_digest"):
        op.add_column("entries", sa.Column(name, sa.String(64)))
    op.add_column("entries", sa.Column("file_frames", sa.Integer()))
    op.add_column("log", sa.Column("row_digest", sa.String(64)))
    op.create_table(
        "damaged_rows",
        sa.Column("entry_id", _ROW, autoincrement=False, nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("series_uid", sa.Text(), nullable=False),
        sa.Column("sop_instance_uid", sa.Text(), nullable=False),
        sa.Column("frame_number", sa.Integer(), nullable=False),
        sa.Column("patient_key", sa.Text()),
        sa.Column("label", sa.Text()),
        sa.Column("model_fingerprint", sa.Text(), nullable=False),
        sa.Column("origin_source", sa.Text(), nullable=False),
        sa.Column("origin_reference", sa.Text(), nullable=False),
        sa.Column("found_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_damaged_rows"),
    )
    op.create_table(
        "secret_checks",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secret_checks"),
    )
    op.create_table(
        "sessions",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_sessions"),
    )
    op.drop_index("ix_entries_collection_series_uid", table_name="entries")
    for columns in (("series_uid", "collection"), ("study_uid",), ("patient_key",), ("origin_reference",)):
        op.create_index(f"ix_entries_{'_'.join(columns)}", "entries", list(columns))
    op.create_index("ix_items_reference", "items", ["reference"])
    deletes = sa.text("kind = 'delete'")
    op.create_index("ix_log_deleted", "log", ["entry_id"], sqlite_where=deletes, postgresql_where=deletes)
