"""Subscriptions to what happens in the archive.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "webhooks",
        sa.Column("webhook_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("collections", sa.Text()),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("after_seq", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.Float(53), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.Float(53)),
        sa.Column("reason", sa.Text()),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("deliveries", sa.BigInteger(), nullable=False),
        sa.Column("attempts_failed", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.Float(53)),
        sa.Column("lease_token", sa.String(32)),
        sa.Column("lease_until", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("webhook_id", name="pk_webhooks"),
        sa.UniqueConstraint("name", name="uq_webhooks_name"),
    )
