"""Judgements of hits, which are kept while the frames that they name are there.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "feedback",
        sa.Column("seq", _ROW, autoincrement=True, nullable=False),
        sa.Column("topic", sa.String(32), nullable=False),
        sa.Column("query_collection", sa.Text()),
        sa.Column("query_study_uid", sa.Text()),
        sa.Column("query_series_uid", sa.Text()),
        sa.Column("query_sop_instance_uid", sa.Text()),
        sa.Column("query_patient_key", sa.Text()),
        sa.Column("query_file_sha256", sa.String(64)),
        sa.Column("query_frame_number", sa.Integer(), nullable=False),
        sa.Column("query_regions", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("series_uid", sa.Text(), nullable=False),
        sa.Column("sop_instance_uid", sa.Text(), nullable=False),
        sa.Column("patient_key", sa.Text()),
        sa.Column("frame_number", sa.Integer(), nullable=False),
        sa.Column("box", sa.Text()),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_feedback"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_feedback_topic", "feedback", ["topic"])
