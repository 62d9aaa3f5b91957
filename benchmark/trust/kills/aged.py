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


def age(home: Path) -> None:
    """Take from a database all tables, indexes and columns that its first schema did not have."""
    with closing(sqlite3.connect(home / DATABASE)) as connection:
        made = connection.execute("SELECT type, name, tbl_name FROM sqlite_master").fetchall()
        for kind, name, _ in made:
            if kind == "table" and name not in _TABLES and not name.startswith("sqlite_"):
                connection.execute(f'DROP TABLE "{name}"')
        for table, kept in _TABLES.items():
            there = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            for column in sorted(set(there) - set(kept.split())):
                for index in _indexes_on(connection.execute(f'PRAGMA index_list("{table}")').fetchall()):
                    covered = [row[2] for row in connection.execute(f'PRAGMA index_info("{index}")')]
                    if column in covered:
                        connection.execute(f'DROP INDEX "{index}"')
                connection.execute(f'ALTER TABLE "{table}" DROP COLUMN "{column}"')
        connection.execute("UPDATE alembic_version SET version_num = ?", (FIRST_REVISION,))
        connection.commit()


def _indexes_on(listed: list[tuple[int, str, int, str, int]]) -> list[str]:
    """Return the names of indexes that are no part of a table's definition."""
    return [name for _, name, _, origin, _ in listed if origin == "c"]
