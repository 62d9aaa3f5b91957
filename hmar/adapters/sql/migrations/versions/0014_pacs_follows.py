"""How far each PACS is followed.

Revision ID: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "pacs_follows",
        sa.Column("site", sa.String(32), nullable=False),
        sa.Column("cursor", sa.Text()),
        sa.Column("resets", sa.Integer(), nullable=False),
        sa.Column("behind", sa.BigInteger(), nullable=False),
        sa.Column("looked_at", sa.Float(53)),
        sa.Column("caught_up_at", sa.Float(53)),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.Float(53)),
        sa.Column("reason", sa.Text()),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("arrived", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.BigInteger(), nullable=False),
        sa.Column("sweep", sa.String(8)),
        sa.Column("sweep_after", sa.Text(), nullable=False),
        sa.Column("sweep_begun_at", sa.Float(53)),
        sa.Column("swept_at", sa.Float(53)),
        sa.Column("only_there", sa.BigInteger(), nullable=False),
        sa.Column("only_here", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("stopped", sa.Text()),
        sa.Column("asked", sa.String(8)),
        sa.Column("holder", sa.String(32)),
        sa.Column("lease_until", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("site", name="pk_pacs_follows"),
    )
    op.create_table(
        "pacs_gone",
        sa.Column("site", sa.String(32), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("site", "reference", name="pk_pacs_gone"),
    )
