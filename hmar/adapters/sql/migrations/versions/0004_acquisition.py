"""How an image was made: kernel, slice thickness, contrast, view, side.

The rows that are there know none of them.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("entries", sa.Column("convolution_kernel", sa.Text()))
    op.add_column("entries", sa.Column("slice_thickness_mm", sa.Float(53)))
    op.add_column("entries", sa.Column("contrast", sa.Boolean()))
    op.add_column("entries", sa.Column("view_position", sa.Text()))
    op.add_column("entries", sa.Column("laterality", sa.String(1)))
