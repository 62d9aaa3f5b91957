"""The patient that a table gives a file, as the key that stands for the id.

The files of jobs that are there were given none.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("items", sa.Column("patient_key", sa.Text()))
