"""The aspect ratio of pixels whose spacing is unknown.

The rows that are there were encoded with square pixels, and stay without.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("entries", sa.Column("pixel_aspect", sa.Float(53)))
