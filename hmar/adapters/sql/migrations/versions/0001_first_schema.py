"""Catalogue, log, jobs and keys.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create every table."""
    _catalogue()
    _jobs()
    _keys()


def _catalogue() -> None:
    counter = op.create_table(
        "counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_counter"),
    )
    op.bulk_insert(counter, [{"id": 1, "value": 0}])
    op.create_table(
        "entries",
        sa.Column("entry_id", _ROW, autoincrement=False, nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("model_fingerprint", sa.Text(), nullable=False),
        sa.Column("origin_source", sa.Text(), nullable=False),
        sa.Column("origin_reference", sa.Text(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("series_uid", sa.Text(), nullable=False),
        sa.Column("sop_instance_uid", sa.Text(), nullable=False),
        sa.Column("frame_number", sa.Integer(), nullable=False),
        sa.Column("modality", sa.Text(), nullable=False),
        sa.Column("body_part", sa.Text()),
        sa.Column("patient_key", sa.Text()),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("columns", sa.Integer(), nullable=False),
        sa.Column("row_mm", sa.Float(53)),
        sa.Column("column_mm", sa.Float(53)),
        sa.Column("series_number", sa.BigInteger()),
        sa.Column("instance_number", sa.BigInteger()),
        sa.Column("position_x_mm", sa.Float(53)),
        sa.Column("position_y_mm", sa.Float(53)),
        sa.Column("position_z_mm", sa.Float(53)),
        sa.Column("uids_derived", sa.Boolean(), nullable=False),
        sa.Column("gate_global", sa.Float(53), nullable=False),
        sa.Column("gate_local", sa.Float(53), nullable=False),
        sa.Column("global_code", sa.LargeBinary(), nullable=False),
        sa.Column("window_codes", sa.LargeBinary(), nullable=False),
        sa.Column("window_ids", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_entries"),
        sa.UniqueConstraint(
            "collection",
            "sop_instance_uid",
            "frame_number",
            "model_fingerprint",
            name="uq_entries_frame",
        ),
    )
    op.create_index(
        "ix_entries_sop_instance_uid_model_fingerprint", "entries", ["sop_instance_uid", "model_fingerprint"]
    )
    op.create_index("ix_entries_collection_series_uid", "entries", ["collection", "series_uid"])
    op.create_table(
        "log",
        sa.Column("seq", _ROW, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_log"),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("origin_source", sa.Text(), nullable=False),
        sa.Column("origin_reference", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("updated_at", sa.Float(53), nullable=False),
        sa.Column("queued_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_state", "jobs", ["state"])
    op.create_table(
        "items",
        sa.Column("item_id", _ROW, autoincrement=True, nullable=False),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("queued_at", sa.Float(53), nullable=False),
        sa.Column("lease_until", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("item_id", name="pk_items"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name="fk_items_job_id"),
        sa.UniqueConstraint("job_id", "reference", name="uq_items_job_id_reference"),
    )
    op.create_index("ix_items_job_id_state", "items", ["job_id", "state"])
    op.create_index("ix_items_state", "items", ["state"])


def _keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", _ROW, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("revoked_at", sa.Float(53)),
        sa.PrimaryKeyConstraint("key_id", name="pk_api_keys"),
        sa.UniqueConstraint("sha256", name="uq_api_keys_sha256"),
    )
    valid = sa.text("revoked_at IS NULL")
    op.create_index(
        "uq_api_keys_name_valid",
        "api_keys",
        ["name"],
        unique=True,
        sqlite_where=valid,
        postgresql_where=valid,
    )
    op.create_table(
        "login_tokens",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_login_tokens"),
    )
