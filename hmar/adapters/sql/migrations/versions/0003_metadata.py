"""What a search is filtered by: sex, age, study date, manufacturer, label.

The rows that are there know none of them.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("entries", sa.Column("sex", sa.String(1)))
    op.add_column("entries", sa.Column("age_years", sa.Integer()))
    op.add_column("entries", sa.Column("study_date", sa.Date()))
    op.add_column("entries", sa.Column("manufacturer", sa.Text()))
    op.add_column("entries", sa.Column("label", sa.Text()))
    op.add_column("jobs", sa.Column("label", sa.Text()))
