"""Series and studies as they are listed, by the metadata of the first frame of each series."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import ColumnElement, Connection, and_, func, select

from hmar.adapters.sql.database import Database
from hmar.adapters.sql.deleting import of_collections, selected
from hmar.adapters.sql.parts import parts
from hmar.adapters.sql.reading import BY_ID, InfoReader
from hmar.adapters.sql.schema import entries
from hmar.values.deletion import Collections, Selector
from hmar.values.entries import EntryInfo, SeriesInfo
from hmar.values.studies import StudiesPage, studies_of
from hmar.values.wanted_studies import WantedStudies, in_order

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
        wanted: WantedStudies,
        offset: int,
        limit: int,
    ) -> StudiesPage:
        """List some studies in order; of a damaged one there is nothing to tell."""
        seen = and_(entries.c.model_fingerprint == model_fingerprint, of_collections(entries, collection))
        with self._database.read() as connection:
            held = _held(connection, seen, wanted)
        # Sorted here, for databases differ in how they order text.
        page = in_order(held, wanted.order)[offset : offset + limit]
        series: list[SeriesInfo] = []
        for some in parts(sorted({uid for _, uid in page})):
            series += self._series(model_fingerprint, and_(seen, entries.c.study_uid.in_(some)))
        listed = {(study.collection, study.study_uid): study for study in studies_of(series)}
        return StudiesPage([listed[name] for name in page if name in listed], len(held) > offset + limit)

    def study_uids(self, model_fingerprint: str, wanted: WantedStudies, collection: Collections) -> list[str]:
        """List the UIDs of wanted studies, sorted."""
        seen = and_(entries.c.model_fingerprint == model_fingerprint, of_collections(entries, collection))
        found = select(entries.c.study_uid).where(*_fitting(seen, wanted)).distinct()
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


def first_frames(seen: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition on entries that they are the first of a series among those that are seen.

    What is asked of all others lies behind their codes, which SQLite would read, too.
    """
    return entries.c.entry_id.in_(select(func.min(entries.c.entry_id)).where(seen).group_by(*_SERIES))


def _held(
    connection: Connection, seen: ColumnElement[bool], wanted: WantedStudies
) -> dict[tuple[str, str], date | None]:
    """Return the studies that are wanted of those that are seen, with their dates if these are needed."""
    of_study = (entries.c.collection, entries.c.study_uid)
    fitting = connection.execute(select(*of_study).where(*_fitting(seen, wanted)).distinct())
    held: dict[tuple[str, str], date | None] = dict.fromkeys(fitting)
    if wanted.order != "uid":
        dated = select(*of_study, func.min(entries.c.study_date)).where(first_frames(seen))
        for collection, uid, day in connection.execute(dated.group_by(*of_study)):
            if (collection, uid) in held:
                held[collection, uid] = day
    return held


def _fitting(seen: ColumnElement[bool], wanted: WantedStudies) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions on an entry that it shows its study to be wanted."""
    yield seen
    for name in ("study_uid", "patient_key"):
        if (value := getattr(wanted, name)) is not None:
            yield entries.c[name] == value
    behind = list(_of_series(wanted))
    if behind:
        yield first_frames(seen)
        yield from behind


def _of_series(wanted: WantedStudies) -> Iterator[ColumnElement[bool]]:
    for name in ("modality", "body_part"):
        if (value := getattr(wanted, name)) is not None:
            yield entries.c[name] == value
    if wanted.since is not None:
        yield entries.c.study_date >= wanted.since
    if wanted.until is not None:
        yield entries.c.study_date <= wanted.until
