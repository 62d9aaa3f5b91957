"""Indexes that hold all that lists of studies and patients, and counts of labels, are made of.

Rows are as long as their codes, so that a list that reads them goes through the whole file. Making these
goes through it three times.

Revision ID: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put indexes that cover the lists in the place of those that only find."""
    op.create_index(
        "ix_entries_listed", "entries", ["study_uid", "collection", "series_uid", "model_fingerprint"]
    )
    op.drop_index("ix_entries_study_uid", "entries")
    op.create_index("ix_entries_patients", "entries", ["patient_key", "collection", "model_fingerprint"])
    op.drop_index("ix_entries_patient_key", "entries")
    labelled = sa.text("label IS NOT NULL")
    op.create_index(
        "ix_entries_labelled",
        "entries",
        ["collection", "label", "model_fingerprint"],
        sqlite_where=labelled,
        postgresql_where=labelled,
    )
