"""What a server's archive holds, as a client lists it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, TypeVar
from urllib.parse import quote

from hmar.client.api import Api, read
from hmar.client.queries import given
from hmar.values.changes import LOOK_S, Change, followed
from hmar.values.collections import CollectionInfo
from hmar.values.entries import EntryInfo, SeriesInfo
from hmar.values.listed_patients import ListedPatient
from hmar.values.studies import ListedStudy, StudyInfo
from hmar.values.wanted_studies import StudyOrder

Listed = TypeVar("Listed")
PAGE = 1000
"""What a list is asked for at a time."""


class ClientLists:
    """The lists of a server. :class:`hmar.Client` has them.

    Parameters
    ----------
    api : Api
        What is asked.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def series(self, collection: str | None = None) -> list[SeriesInfo]:
        """List the series, or those of one collection, in order of collection, study and series."""
        answer = self._api.get("/api/v1/series", _query(collection))
        return read(answer, lambda told: [SeriesInfo.from_dict(one) for one in told["series"]])

    def frames(self, series_uid: str, collection: str | None = None) -> list[EntryInfo]:
        """List the frames of a series in display order; raises NotFoundError if it is not indexed."""
        answer = self._api.get(f"/api/v1/series/{quote(series_uid, safe='')}/frames", _query(collection))
        return read(answer, lambda told: _frames(told, {"series_uid": told["series_uid"]}))

    def collections(self, collection: str | None = None) -> list[CollectionInfo]:
        """Count what the collections hold, or one of them; see :meth:`hmar.Archive.collections`."""
        answer = self._api.get("/api/v1/collections", _query(collection))
        return read(answer, lambda told: [CollectionInfo.from_dict(one) for one in told["collections"]])

    def patients(self, collection: str | None = None) -> Iterator[ListedPatient]:
        """Yield the patients, or those of one collection; see :meth:`hmar.Archive.patients`."""
        yield from self._paged("/api/v1/patients", _query(collection), _patients)

    def studies(
        self,
        collection: str | None = None,
        *,
        patient: str | None = None,
        modality: str | None = None,
        body_part: str | None = None,
        since: date | None = None,
        until: date | None = None,
        order: StudyOrder = "uid",
    ) -> Iterator[ListedStudy]:
        """Yield the studies that have a series of which everything is true that is given.

        Parameters and errors are those of :meth:`hmar.Archive.studies`.
        """
        wanted = {
            "patient": patient,
            "modality": modality,
            "body_part": body_part,
            "since": None if since is None else since.isoformat(),
            "until": None if until is None else until.isoformat(),
            "order": order,
        }
        asked = {name: value for name, value in wanted.items() if value is not None}
        yield from self._paged("/api/v1/studies", {**_query(collection), **asked}, _studies)

    def _paged(
        self,
        path: str,
        query: Mapping[str, str | int],
        page_of: Callable[[Mapping[str, Any]], tuple[list[Listed], int | None]],
    ) -> Iterator[Listed]:
        """Yield what a list holds, page after page."""
        offset: int | None = 0
        while offset is not None:
            answer = self._api.get(path, {**query, "limit": PAGE, "offset": offset})
            page, offset = read(answer, page_of)
            yield from page

    def study(self, study_uid: str, collection: str | None = None) -> StudyInfo:
        """Return a study with its series; see :meth:`hmar.Archive.study`."""
        answer = self._api.get(f"/api/v1/studies/{quote(study_uid, safe='')}", _query(collection))
        return read(answer, StudyInfo.from_dict)

    def instance(self, sop_instance_uid: str, collection: str | None = None) -> list[EntryInfo]:
        """Return all that is known of the frames of an instance; see :meth:`hmar.Archive.instance`."""
        answer = self._api.get(f"/api/v1/instances/{quote(sop_instance_uid, safe='')}", _query(collection))
        return read(answer, lambda told: _frames(told, {}))

    def changes(
        self, after: int = 0, collection: str | None = None, *, follow: bool = False, look_s: float = LOOK_S
    ) -> Iterator[Change]:
        """Yield what was indexed and deleted since a change, oldest first.

        Parameters
        ----------
        after : int
            The ``seq`` of the last change that is known, 0 for none.
        collection : str, optional
            Only changes of this collection.
        follow : bool
            Whether to wait for further changes for ever, in place of ending behind the last one.
        look_s : float
            Pause between two looks where there is nothing new, in seconds.

        Raises
        ------
        ConflictError
            If the archive has no such change yet: it was restored from an older copy.
        """

        def look(known: int) -> tuple[list[Change], int]:
            query = {**_query(collection), "limit": PAGE, "after": known}
            return read(self._api.get("/api/v1/changes", query), _changes)

        return followed(look, after, follow, look_s)


def _query(collection: str | None) -> dict[str, str | int]:
    return {name: str(value) for name, value in given(collection=collection).items()}


def _frames(told: Mapping[str, Any], known: Mapping[str, Any]) -> list[EntryInfo]:
    """Return the frames of an answer that tells their collection, and what else is known of all, once."""
    shared = {"collection": told["collection"], **known}
    return [EntryInfo.from_dict({**frame, **shared}) for frame in told["frames"]]


def _patients(told: Mapping[str, Any]) -> tuple[list[ListedPatient], int | None]:
    return [ListedPatient.from_dict(one) for one in told["patients"]], told["next_offset"]


def _studies(told: Mapping[str, Any]) -> tuple[list[ListedStudy], int | None]:
    return [ListedStudy.from_dict(one) for one in told["studies"]], told["next_offset"]


def _changes(told: Mapping[str, Any]) -> tuple[list[Change], int]:
    return [Change.from_dict(one) for one in told["changes"]], int(told["next_after"])
