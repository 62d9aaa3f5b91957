"""Series and studies as they are listed, by the metadata of the first frame of each series."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, select

from hmar.adapters.sql.database import Database
from hmar.adapters.sql.deleting import of_collections, selected
from hmar.adapters.sql.parts import parts
from hmar.adapters.sql.reading import BY_ID, InfoReader
from hmar.adapters.sql.schema import entries
from hmar.values.deletion import Collections, Selector
from hmar.values.entries import EntryInfo, SeriesInfo
from hmar.values.studies import StudiesPage, StudiesWanted, studies_of

_SERIES = (entries.c.collection, entries.c.study_uid, entries.c.series_uid)


class Lister:
    """Lists series and studies that hold live frames of a model.

    Parameters
    ----------
    database : Database
    reader : InfoReader
        Verifies what is read.
    """

    def __init__(self, database: Database, reader: InfoReader) -> None:
        self._database = database
        self._reader = reader

    def series(
        self, model_fingerprint: str, selector: Selector | None, collection: str | None
    ) -> list[SeriesInfo]:
        """List series, in order of (collection, study, series)."""
        among = of_collections(entries, collection) if selector is None else selected(selector, collection)
        return self._series(model_fingerprint, and_(entries.c.model_fingerprint == model_fingerprint, among))

    def studies(
        self,
        model_fingerprint: str,
        collection: Collections,
        study_uid: str | None,
        offset: int,
        limit: int,
    ) -> StudiesPage:
        """List some studies, in order of (collection, study); of a damaged one there is nothing to tell."""
        wanted = and_(entries.c.model_fingerprint == model_fingerprint, of_collections(entries, collection))
        if study_uid is not None:
            wanted = and_(wanted, entries.c.study_uid == study_uid)
        pairs = select(entries.c.collection, entries.c.study_uid).where(wanted).distinct()
        with self._database.read() as connection:
            # Sorted here, for databases differ in how they order text.
            held = sorted(tuple(row) for row in connection.execute(pairs))
        page = set(held[offset : offset + limit])
        series: list[SeriesInfo] = []
        for some in parts(sorted({uid for _, uid in page})):
            series += self._series(model_fingerprint, and_(wanted, entries.c.study_uid.in_(some)))
        listed = [study for study in studies_of(series) if (study.collection, study.study_uid) in page]
        return StudiesPage(listed, len(held) > offset + limit)

    def study_uids(self, model_fingerprint: str, wanted: StudiesWanted, collection: Collections) -> list[str]:
        """List the UIDs of wanted studies, sorted."""
        among = and_(entries.c.model_fingerprint == model_fingerprint, of_collections(entries, collection))
        conditions = []
        if wanted.modality is not None:
            conditions.append(entries.c.modality == wanted.modality)
        if wanted.since is not None:
            conditions.append(entries.c.study_date >= wanted.since)
        if wanted.until is not None:
            conditions.append(entries.c.study_date <= wanted.until)
        found = select(entries.c.study_uid).where(among).distinct()
        if conditions:
            # Of first frames alone: these columns lie behind the codes, which SQLite would read, too.
            firsts = select(func.min(entries.c.entry_id)).where(among).group_by(*_SERIES)
            found = select(entries.c.study_uid).where(entries.c.entry_id.in_(firsts), *conditions).distinct()
        with self._database.read() as connection:
            return sorted(connection.execute(found).scalars())

    def _series(self, model_fingerprint: str, wanted: ColumnElement[bool]) -> list[SeriesInfo]:
        groups = select(func.min(entries.c.entry_id), func.count()).where(wanted).group_by(*_SERIES)
        with self._database.read() as connection:
            counts: dict[int, int] = {row[0]: row[1] for row in connection.execute(groups)}
        firsts: dict[int, EntryInfo] = {}
        for ids in parts(counts):
            firsts |= {info.entry_id: info for info in self._reader.infos(BY_ID, {"ids": ids})}
        listed = [SeriesInfo.of(firsts[entry_id], counts[entry_id]) for entry_id in firsts]
        for entry_id in counts.keys() - firsts.keys():  # the first frame of these is damaged
            if others := self._reader.group_of(entry_id, model_fingerprint):
                listed.append(SeriesInfo.of(others[0], len(others)))
        return sorted(listed, key=lambda series: (series.collection, series.study_uid, series.series_uid))
