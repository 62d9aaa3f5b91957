"""Judgements of hits in SQL: kept while the frames that they name are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, true

from hmar.adapters.sql.database import Database
from hmar.adapters.sql.deleting import of_collections, selected
from hmar.adapters.sql.log_rows import lock
from hmar.adapters.sql.schema import entries, feedback
from hmar.values.deletion import Collections, Selector
from hmar.values.feedback import FeedbackQuery, Judgement, KeptJudgement, regions_from_json
from hmar.values.geometry import Box

_KNOWN = ("study_uid", "series_uid", "patient_key")
_TOUCHED = (
    ("study", "study_uid"),
    ("study", "query_study_uid"),
    ("patient", "patient_key"),
    ("patient", "query_patient_key"),
)


class SqlFeedbackStore:
    """A :class:`hmar.ports.FeedbackStore` in a database. Safe between threads and between processes.

    Parameters
    ----------
    database : Database
        Migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, judgements: Sequence[Judgement]) -> int:
        """Keep judgements of what is indexed; return how many.

        The writers' lock is held meanwhile, so that nothing is deleted between the look and the write.
        """
        kept = 0
        with self._database.write() as connection:
            lock(connection)
            for judgement in judgements:
                row = _row(connection, judgement)
                if row is not None:
                    connection.execute(delete(feedback).where(_same(judgement)))
                    connection.execute(insert(feedback), row)
                    kept += 1
        return kept

    def listed(self, after_seq: int, limit: int, collection: Collections = None) -> list[KeptJudgement]:
        """Return the next judgements, in the order in which they were made."""
        seen = and_(of_collections(feedback, collection), _query_in(collection, files=True))
        query = select(feedback).where(feedback.c.seq > after_seq, seen)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(feedback.c.seq).limit(limit)).mappings().all()
        return [_kept(row) for row in rows]


def forget_judgements(connection: Connection, selector: Selector, collection: Collections) -> int:
    """Delete the judgements of what is being deleted, and those of queries with it; return how many.

    It comes before the entries are deleted: queries with files are known by these. The writers' lock is taken
    first, so that no judgement of them comes in between.
    """
    lock(connection)
    column = feedback.c[selector.field]
    of_query = feedback.c[f"query_{selector.field}"]
    files = select(entries.c.file_sha256).where(
        selected(selector, collection), entries.c.file_sha256.is_not(None)
    )
    wanted = or_(
        and_(column == selector.value, of_collections(feedback, collection)),
        and_(of_query == selector.value, _query_in(collection, files=False)),
        feedback.c.query_file_sha256.in_(files),
    )
    return connection.execute(delete(feedback).where(wanted)).rowcount


def _query_in(collection: Collections, files: bool) -> ColumnElement[bool]:
    """Return the condition that the query is of some collections; or a file, where those count."""
    if collection is None:
        return true()
    names = [collection] if isinstance(collection, str) else sorted(collection)
    inside = feedback.c.query_collection.in_(names)
    return or_(inside, feedback.c.query_collection.is_(None)) if files else inside


def _same(judgement: Judgement) -> ColumnElement[bool]:
    topic, collection, uid, frame_number, actor = judgement.key
    return and_(
        feedback.c.topic == topic,
        feedback.c.collection == collection,
        feedback.c.sop_instance_uid == uid,
        feedback.c.frame_number == frame_number,
        feedback.c.actor == actor,
    )


def _row(connection: Connection, judgement: Judgement) -> dict[str, Any] | None:
    """Return the row to keep; None where the query's or the judged frame is not indexed."""
    query = judgement.query
    known = _known(connection, judgement.collection, judgement.sop_instance_uid, judgement.frame_number)
    of_query: Mapping[str, Any] | None = dict.fromkeys(_KNOWN)
    if query.sop_instance_uid is not None and judgement.query_collection is not None:
        of_query = _known(connection, judgement.query_collection, query.sop_instance_uid, query.frame_number)
    if known is None or of_query is None:
        return None
    return {
        "topic": query.topic,
        "query_collection": judgement.query_collection,
        **{f"query_{name}": of_query[name] for name in _KNOWN},
        "query_sop_instance_uid": query.sop_instance_uid,
        "query_file_sha256": query.file_sha256,
        "query_frame_number": query.frame_number,
        "query_regions": query.regions_json(),
        "collection": judgement.collection,
        **known,
        "sop_instance_uid": judgement.sop_instance_uid,
        "frame_number": judgement.frame_number,
        "box": None
        if judgement.box is None
        else FeedbackQuery(None, None, 1, (judgement.box,)).regions_json(),
        "verdict": judgement.verdict,
        "actor": judgement.actor,
        "at": judgement.at,
    }


def _known(
    connection: Connection, collection: str, sop_instance_uid: str, frame_number: int
) -> dict[str, Any] | None:
    query = select(*(entries.c[name] for name in _KNOWN)).where(
        entries.c.collection == collection,
        entries.c.sop_instance_uid == sop_instance_uid,
        entries.c.frame_number == frame_number,
    )
    row = connection.execute(query.limit(1)).mappings().one_or_none()
    return None if row is None else dict(row)


def _kept(row: Mapping[Any, Any]) -> KeptJudgement:
    query = FeedbackQuery(
        row["query_sop_instance_uid"],
        row["query_file_sha256"],
        row["query_frame_number"],
        regions_from_json(row["query_regions"]),
    )
    box: Box | None = None if row["box"] is None else regions_from_json(row["box"])[0]
    judgement = Judgement(
        query,
        row["query_collection"],
        row["collection"],
        row["sop_instance_uid"],
        row["frame_number"],
        box,
        row["verdict"],
        row["actor"],
        row["at"],
    )
    touched = frozenset((level, row[name]) for level, name in _TOUCHED if row[name] is not None)
    return KeptJudgement(row["seq"], judgement, row["study_uid"], touched)
