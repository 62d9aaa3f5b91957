"""Which model searches use, and which the archive is being indexed under.

No model is named for an archive that is there: its settings say which, until somebody chooses another.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "model_roles",
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("role", name="pk_model_roles"),
    )
