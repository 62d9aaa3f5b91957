"""Judgements of hits in memory: kept while the frames that they name are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hmar.adapters.memory.catalogue import MemoryCatalogue
from hmar.values.deletion import Collections, Selector, among
from hmar.values.entries import EntryInfo
from hmar.values.feedback import Judgement, KeptJudgement


@dataclass(frozen=True, slots=True)
class _Row:
    kept: KeptJudgement
    judged: EntryInfo
    asked: EntryInfo | None


class MemoryFeedbackStore:
    """A :class:`hmar.ports.FeedbackStore` that lives as long as the process. Thread-safe.

    Parameters
    ----------
    catalogue : MemoryCatalogue
        Tells what is deleted. Its lock is this store's, too.
    """

    def __init__(self, catalogue: MemoryCatalogue) -> None:
        self._catalogue = catalogue
        self._rows: dict[tuple[str, str, str, int, str], _Row] = {}
        self._last = 0
        catalogue.on_deletion(self._forget)

    def add(self, judgements: Sequence[Judgement]) -> int:
        """Keep judgements of what is indexed; return how many."""
        before = self._last
        with self._catalogue.lock:
            for judgement in judgements:
                self._keep(judgement)
            return self._last - before

    def listed(self, after_seq: int, limit: int, collection: Collections = None) -> list[KeptJudgement]:
        """Return the next judgements, in the order in which they were made."""
        with self._catalogue.lock:
            rows = sorted((row.kept for row in self._rows.values()), key=lambda kept: kept.seq)
        seen = [
            row
            for row in rows
            if row.seq > after_seq
            and among(row.judgement.collection, collection)
            and (row.judgement.query_collection is None or among(row.judgement.query_collection, collection))
        ]
        return seen[:limit]

    def _keep(self, judgement: Judgement) -> None:
        judged = self._entry(judgement.collection, judgement.sop_instance_uid, judgement.frame_number)
        query, asked = judgement.query, None
        if query.sop_instance_uid is not None and judgement.query_collection is not None:
            asked = self._entry(judgement.query_collection, query.sop_instance_uid, query.frame_number)
            if asked is None:
                return
        if judged is None:
            return
        self._last += 1
        touched = frozenset(
            named
            for entry in (judged, asked)
            if entry is not None
            for named in (("study", entry.info.study_uid), ("patient", entry.info.patient_key or ""))
            if named[1]
        )
        kept = KeptJudgement(self._last, judgement, judged.info.study_uid, touched)
        self._rows[judgement.key] = _Row(kept, judged, asked)

    def _entry(self, collection: str, sop_instance_uid: str, frame_number: int) -> EntryInfo | None:
        entries = self._catalogue.live(collection, sop_instance_uid)
        return next((entry for entry in entries if entry.info.frame_number == frame_number), None)

    def _forget(self, selector: Selector, collection: Collections, gone: Sequence[EntryInfo]) -> None:
        """Drop the judgements of what is being deleted; the catalogue holds the lock."""
        files = {entry.digests.file_sha256 for entry in gone if entry.digests is not None}

        def is_of(entry: EntryInfo | None) -> bool:
            if entry is None or not among(entry.collection, collection):
                return False
            return bool(getattr(entry.info, selector.field) == selector.value)

        for key, row in list(self._rows.items()):
            sent = row.kept.judgement.query.file_sha256
            if is_of(row.judged) or is_of(row.asked) or (sent is not None and sent in files):
                del self._rows[key]
