"""Requests for jobs that may come again, how files were sent, and jobs in order of time.

Of the files of jobs that are there it is not known how they were sent.

Revision ID: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, the columns and the index."""
    op.create_table(
        "job_requests",
        sa.Column("key_sha256", sa.String(64), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("key_sha256", name="pk_job_requests"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name="fk_job_requests_job_id"),
    )
    op.add_column("items", sa.Column("sent_number", sa.Integer()))
    op.add_column("items", sa.Column("sent_name", sa.Text()))
    op.create_index("ix_jobs_created_at", "jobs", ["created_at"])
    named = sa.text("sent_name IS NOT NULL")
    op.create_index("ix_items_named", "items", ["job_id"], sqlite_where=named, postgresql_where=named)
