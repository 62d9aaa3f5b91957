"""An archive as the first release wrote it: a database without what later schemas added."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from benchmark.trust.oracle.rows import DATABASE

FIRST_REVISION = "0001"
_TABLES = {
    "counter": "id value",
    "entries": (
        "entry_id collection model_fingerprint origin_source origin_reference study_uid series_uid"
        " sop_instance_uid frame_number modality body_part patient_key rows columns row_mm column_mm"
        " series_number instance_number position_x_mm position_y_mm position_z_mm uids_derived gate_global"
        " gate_local global_code window_codes window_ids"
    ),
    "log": "seq kind entry_id collection created_at",
    "jobs": ("job_id collection origin_source origin_reference state reason created_at updated_at queued_at"),
    "items": "item_id job_id reference state attempts frames reason queued_at lease_until",
    "api_keys": "key_id name sha256 created_at revoked_at",
    "login_tokens": "sha256 expires_at",
    "alembic_version": "version_num",
}

_KEPT = ("uq_api_keys_name_valid",)
_INDEXES = {
    "ix_entries_sop_instance_uid_model_fingerprint": "entries (sop_instance_uid, model_fingerprint)",
    "ix_entries_collection_series_uid": "entries (collection, series_uid)",
    "ix_jobs_state": "jobs (state)",
    "ix_items_job_id_state": "items (job_id, state)",
    "ix_items_state": "items (state)",
}


def age(home: Path) -> None:
    """Make a database's tables, indexes and columns those of its first schema."""
    with closing(sqlite3.connect(home / DATABASE)) as connection:
        made = connection.execute("SELECT type, name, tbl_name FROM sqlite_master").fetchall()
        for kind, name, _ in made:
            if kind == "table" and name not in _TABLES and not name.startswith("sqlite_"):
                connection.execute(f'DROP TABLE "{name}"')
        for table, kept in _TABLES.items():
            there = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            listed = connection.execute(f'PRAGMA index_list("{table}")').fetchall()
            for index in (name for _, name, _, origin, _ in listed if origin == "c" and name not in _KEPT):
                connection.execute(f'DROP INDEX "{index}"')
            for column in sorted(set(there) - set(kept.split())):
                connection.execute(f'ALTER TABLE "{table}" DROP COLUMN "{column}"')
        for name, columns in _INDEXES.items():
            connection.execute(f"CREATE INDEX {name} ON {columns}")
        connection.execute("UPDATE alembic_version SET version_num = ?", (FIRST_REVISION,))
        connection.commit()
