"""The tables, in portable SQL.

:mod:`hmar.adapters.sql.migrations` creates them, and a test compares the two. Every property is a column of
the table of entries.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

from hmar.properties.declaration import Property
from hmar.properties.kinds.kind import Value
from hmar.properties.table import TABLE

# In SQLite only a primary key of the very type INTEGER is the row number itself.
_ROW = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_TYPES: dict[type[Value], TypeEngine[Any]] = {
    str: Text(),
    int: Integer(),
    float: Float(53),
    date: Date(),
    bool: Boolean(),
}


def _property_column(item: Property) -> Column[Any]:
    kind = item.kind
    column_type = _TYPES[kind.stored] if kind.length is None else String(kind.length)
    return Column(item.name, column_type, nullable=item.unknown is None)


def _identity_columns() -> list[Column[Any]]:
    """Return what an identity may do, as words with spaces between them; who has no word may do nothing.

    Of collections NULL stands for all.
    """
    return [Column("scopes", Text, nullable=False, server_default=text("''")), Column("collections", Text)]


counter = Table(
    "counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
)
"""One row: the last sequence number. Its lock, held until commit, makes log order commit order."""

entries = Table(
    "entries",
    metadata,
    Column("entry_id", _ROW, primary_key=True, autoincrement=False),
    Column("collection", Text, nullable=False),
    Column("model_fingerprint", Text, nullable=False),
    Column("origin_source", Text, nullable=False),
    Column("origin_reference", Text, nullable=False),
    Column("study_uid", Text, nullable=False),
    Column("series_uid", Text, nullable=False),
    Column("sop_instance_uid", Text, nullable=False),
    Column("frame_number", Integer, nullable=False),
    Column("patient_key", Text),
    Column("rows", Integer, nullable=False),
    Column("columns", Integer, nullable=False),
    Column("row_mm", Float(53)),
    Column("column_mm", Float(53)),
    Column("series_number", BigInteger),
    Column("instance_number", BigInteger),
    Column("position_x_mm", Float(53)),
    Column("position_y_mm", Float(53)),
    Column("position_z_mm", Float(53)),
    Column("uids_derived", Boolean, nullable=False),
    Column("gate_global", Float(53), nullable=False),
    Column("gate_local", Float(53), nullable=False),
    Column("global_code", LargeBinary, nullable=False),
    Column("window_codes", LargeBinary, nullable=False),
    Column("window_ids", LargeBinary, nullable=False),
    Column("pixel_aspect", Float(53)),
    Column("file_sha256", String(64)),
    Column("pixel_digest", String(64)),
    Column("header_digest", String(64)),
    Column("file_frames", Integer),
    Column("code_digest", String(64)),
    Column("row_digest", String(64)),
    Column("stack", String(16)),
    Column("along_mm", Float(53)),
    Column("held_back", Boolean),
    *map(_property_column, TABLE.values()),
    UniqueConstraint(
        "collection", "sop_instance_uid", "frame_number", "model_fingerprint", name="uq_entries_frame"
    ),
    Index(None, "sop_instance_uid", "model_fingerprint"),
    Index(None, "series_uid", "collection"),
    # These hold all that lists and counts are made of: the rows themselves are as long as their codes.
    Index("ix_entries_listed", "study_uid", "collection", "series_uid", "model_fingerprint"),
    Index("ix_entries_patients", "patient_key", "collection", "model_fingerprint"),
    Index(
        "ix_entries_labelled",
        "collection",
        "label",
        "model_fingerprint",
        sqlite_where=text("label IS NOT NULL"),
        postgresql_where=text("label IS NOT NULL"),
    ),
    Index(None, "origin_reference"),
    Index(
        "ix_entries_stack",
        "series_uid",
        "stack",
        "along_mm",
        sqlite_where=text("stack IS NOT NULL"),
        postgresql_where=text("stack IS NOT NULL"),
    ),
)
"""Live frames; a row never changes. ``entry_id`` is the sequence number of its "add" in the log.

``held_back`` is true where another slice of its slab stands for a frame when windows are searched, and NULL
elsewhere.

What the two digests cover is in :mod:`hmar.adapters.sql.seals`. A column that a later version adds must be
NULL in the rows that are there, for NULL is what their digests know nothing of.
"""

slabs = Table(
    "slabs",
    metadata,
    Column("collection", Text, primary_key=True),
    Column("slab_mm", Float(53), nullable=False),
)
"""Thickness of the slabs of a collection; collections without a row have none."""

log = Table(
    "log",
    metadata,
    Column("seq", _ROW, primary_key=True, autoincrement=False),
    Column("kind", String(8), nullable=False),
    Column("entry_id", BigInteger, nullable=False),
    Column("collection", Text, nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("mark", String(32), nullable=False),
    Column("row_digest", String(64)),
    Index(
        "ix_log_deleted",
        "entry_id",
        sqlite_where=text("kind = 'delete'"),
        postgresql_where=text("kind = 'delete'"),
    ),
)
"""What happened, in order of commit; kind is "add" or "delete". Grows only. ``mark`` is random, in hex."""

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(32), primary_key=True),
    Column("collection", Text, nullable=False),
    Column("origin_source", Text, nullable=False),
    Column("origin_reference", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("created_at", Float(53), nullable=False),
    Column("updated_at", Float(53), nullable=False),
    Column("queued_at", Float(53), nullable=False),
    Column("label", Text),
    Index(None, "state"),
    Index(None, "created_at"),
)

job_requests = Table(
    "job_requests",
    metadata,
    Column("key_sha256", String(64), primary_key=True),
    Column("content_sha256", String(64), nullable=False),
    Column("job_id", String(32), ForeignKey("jobs.job_id"), nullable=False),
    Column("created_at", Float(53), nullable=False),
)
"""Requests for jobs that may come again, for a day."""

items = Table(
    "items",
    metadata,
    Column("item_id", _ROW, primary_key=True, autoincrement=True),
    Column("job_id", String(32), ForeignKey("jobs.job_id"), nullable=False),
    Column("reference", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("reason", Text),
    Column("queued_at", Float(53), nullable=False),
    Column("lease_until", Float(53), nullable=False),
    Column("patient_key", Text),
    Column("sent_number", Integer),
    Column("sent_name", Text),
    UniqueConstraint("job_id", "reference"),
    Index(None, "reference"),
    Index(None, "job_id", "state"),
    Index(
        "ix_items_named",
        "job_id",
        sqlite_where=text("sent_name IS NOT NULL"),
        postgresql_where=text("sent_name IS NOT NULL"),
    ),
    Index(None, "state"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", _ROW, primary_key=True, autoincrement=True),
    Column("name", String(64), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("created_at", Float(53), nullable=False),
    Column("revoked_at", Float(53)),
    *_identity_columns(),
    Column("expires_at", Float(53)),
    Column("last_used_at", Float(53)),
    Index(
        "uq_api_keys_name_valid",
        "name",
        unique=True,
        sqlite_where=text("revoked_at IS NULL"),
        postgresql_where=text("revoked_at IS NULL"),
    ),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", _ROW, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("at", Float(53), nullable=False),
    Column("operation", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("address", Text, nullable=False),
    Column("touched", Text, nullable=False),
    Column("touched_count", Integer, nullable=False),
)
"""Who was given whose data; grows at its end, and is pruned at its beginning. Numbers have no gaps."""

audit_anchor = Table(
    "audit_anchor",
    metadata,
    Column("seq", _ROW, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("proof", String(64), nullable=False),
)
"""The last row of the audit log that was pruned; no row where none was."""

feedback = Table(
    "feedback",
    metadata,
    Column("seq", _ROW, primary_key=True, autoincrement=True),
    Column("topic", String(32), nullable=False),
    Column("query_collection", Text),
    Column("query_study_uid", Text),
    Column("query_series_uid", Text),
    Column("query_sop_instance_uid", Text),
    Column("query_patient_key", Text),
    Column("query_file_sha256", String(64)),
    Column("query_frame_number", Integer, nullable=False),
    Column("query_regions", Text, nullable=False),
    Column("collection", Text, nullable=False),
    Column("study_uid", Text, nullable=False),
    Column("series_uid", Text, nullable=False),
    Column("sop_instance_uid", Text, nullable=False),
    Column("patient_key", Text),
    Column("frame_number", Integer, nullable=False),
    Column("box", Text),
    Column("verdict", String(16), nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Float(53), nullable=False),
    Index(None, "topic"),
    sqlite_autoincrement=True,
)
"""Judgements of hits. They go with the frames that were judged, and with those that were searched with."""

damaged_rows = Table(
    "damaged_rows",
    metadata,
    Column("entry_id", _ROW, primary_key=True, autoincrement=False),
    Column("collection", Text, nullable=False),
    Column("study_uid", Text, nullable=False),
    Column("series_uid", Text, nullable=False),
    Column("sop_instance_uid", Text, nullable=False),
    Column("frame_number", Integer, nullable=False),
    Column("patient_key", Text),
    Column("label", Text),
    Column("model_fingerprint", Text, nullable=False),
    Column("origin_source", Text, nullable=False),
    Column("origin_reference", Text, nullable=False),
    Column("found_at", Float(53), nullable=False),
)
"""Frames that were taken out because their row was damaged, until they are indexed again."""

model_roles = Table(
    "model_roles",
    metadata,
    Column("role", String(8), primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("name", Text, nullable=False),
)
"""Which model is "used" and which is the "next" one: a row each, none where nobody has chosen."""

secret_checks = Table(
    "secret_checks",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", String(64), nullable=False),
)
"""A keyed hash of a constant under each secret: tells an altered secret, and does not tell the secret."""

sessions = Table(
    "sessions",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("expires_at", Float(53), nullable=False),
    Column("name", Text, nullable=False, server_default=text("''")),
    *_identity_columns(),
)
"""Logins to the page; a row ends with its session."""

login_tokens = Table(
    "login_tokens",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("expires_at", Float(53), nullable=False),
    Column("name", Text, nullable=False, server_default=text("''")),
    *_identity_columns(),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("webhook_id", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("url", Text, nullable=False),
    Column("collections", Text),
    Column("created_at", Float(53), nullable=False),
    Column("after_seq", BigInteger, nullable=False),
    Column("next_at", Float(53), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", Float(53)),
    Column("reason", Text),
    Column("disabled", Boolean, nullable=False),
    Column("deliveries", BigInteger, nullable=False),
    Column("attempts_failed", BigInteger, nullable=False),
    Column("delivered_at", Float(53)),
    Column("lease_token", String(32)),
    Column("lease_until", Float(53), nullable=False),
    UniqueConstraint("name"),
)
"""Subscriptions to changes, how far each is, and which sender holds it. Of collections NULL stands for all.

No secret is kept: it follows from ``webhook_id``.
"""

pacs_follows = Table(
    "pacs_follows",
    metadata,
    Column("site", String(32), primary_key=True),
    Column("cursor", Text),
    Column("resets", Integer, nullable=False),
    Column("behind", BigInteger, nullable=False),
    Column("looked_at", Float(53)),
    Column("caught_up_at", Float(53)),
    Column("failures", Integer, nullable=False),
    Column("failing_since", Float(53)),
    Column("reason", Text),
    Column("failed", BigInteger, nullable=False),
    Column("arrived", BigInteger, nullable=False),
    Column("deleted", BigInteger, nullable=False),
    Column("sweep", String(8)),
    Column("sweep_after", Text, nullable=False),
    Column("sweep_begun_at", Float(53)),
    Column("swept_at", Float(53)),
    Column("only_there", BigInteger, nullable=False),
    Column("only_here", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    Column("stopped", Text),
    Column("asked", String(8)),
    Column("holder", String(32)),
    Column("lease_until", Float(53), nullable=False),
)
"""How far each PACS is followed, what somebody asked for since, and which watcher holds it."""

pacs_gone = Table(
    "pacs_gone",
    metadata,
    Column("site", String(32), primary_key=True),
    Column("reference", Text, primary_key=True),
    Column("deleted", Boolean, nullable=False),
)
"""Instances that a PACS has no more: those that are to be deleted here, and those that were."""
