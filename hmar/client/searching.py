"""The searches of a client."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from hmar.client.api import Api, read
from hmar.client.problems import error_of_problem
from hmar.client.queries import (
    Fields,
    Queryable,
    as_form,
    exclusion_field,
    file_bytes,
    given,
    judged_fields,
    only_field,
    query_fields,
    region_fields,
)
from hmar.errors import InputError
from hmar.properties.python_filters import FilterValue, filters_as_json, given_filters
from hmar.values.codes import Bits
from hmar.values.entries import EntryInfo
from hmar.values.fast import Search
from hmar.values.groups import Aggregation, GroupLevel, GroupMode, GroupResults
from hmar.values.hits import Hit, Mode
from hmar.values.indexed import Indexed, IndexedFrame
from hmar.values.outline import RegionLike
from hmar.values.results import Results
from hmar.values.selection import Exclusion, GroupBy, Same

SEARCH = "/api/v1/search"


class ClientSearches:
    """What a server can be asked to search for. :class:`hmar.Client` is one.

    Parameters
    ----------
    api : Api
        What is asked.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def search(
        self,
        image: Queryable,
        box: RegionLike | Sequence[RegionLike] | None = None,
        k: int = 10,
        mode: Mode | None = None,
        bits: Bits = 128,
        *,
        frame_number: int = 1,
        collection: str | None = None,
        exclude: Same | Exclusion | None = None,
        only: Collection[str] | None = None,
        group_by: GroupBy | None = None,
        relevant: Sequence[Indexed] = (),
        not_relevant: Sequence[Indexed] = (),
        search: Search | None = None,
        where: Mapping[str, FilterValue] | None = None,
        **filters: FilterValue,
    ) -> Results:
        """Find the frames most like an image, or those that hold something most like regions of it.

        Parameters
        ----------
        image : path, bytes, IndexedFrame, Hit or EntryInfo
            A file, which need not be in the archive, or a frame of the archive, which is then not among its
            own hits.
        frame_number : int
            Frame of a file with several, from 1. A frame of the archive has its own.
        box, k, mode, bits, collection, exclude, only, group_by, relevant, not_relevant, search
            As for :meth:`hmar.Archive.search`.
        where, **filters
            As for :meth:`hmar.Archive.search`.

        Raises
        ------
        DecodeError
            If the image cannot be read.
        RegionError
            If the box is not four finite numbers, or lies outside the frame.
        NotFoundError
            If the frame is not in the archive.
        ParameterError
            If any of the others is out of its range.
        """
        wanted = _wanted(
            given_filters(where, filters), k, mode, bits, collection, exclude, only, group_by, search
        )
        judged = judged_fields(relevant, not_relevant)
        return _results(self._found(*_query(image, frame_number), region_fields(box) | wanted | judged))

    def pages(
        self,
        image: Queryable,
        box: RegionLike | Sequence[RegionLike] | None = None,
        k: int = 100,
        limit: int = 20,
        mode: Mode | None = None,
        bits: Bits = 128,
        *,
        frame_number: int = 1,
        collection: str | None = None,
        exclude: Same | Exclusion | None = None,
        only: Collection[str] | None = None,
        group_by: GroupBy | None = None,
        relevant: Sequence[Indexed] = (),
        not_relevant: Sequence[Indexed] = (),
        search: Search | None = None,
        where: Mapping[str, FilterValue] | None = None,
        **filters: FilterValue,
    ) -> Iterator[Results]:
        """Search as :meth:`search` does, and yield the hits page by page, each when it is asked for.

        All pages are of the state that the archive was in at the first; what is deleted is gone from those
        that follow.

        Parameters
        ----------
        limit : int
            Hits on a page, from 1.
        image, box, k, mode, bits, frame_number, collection, exclude, only, group_by, relevant, not_relevant
            As for :meth:`search`; ``k`` is the number of hits on all pages together.
        search, where, **filters
            As for :meth:`search`. Later pages are searched as the first was.
        """
        wanted = _wanted(
            given_filters(where, filters), k, mode, bits, collection, exclude, only, group_by, search
        )
        data, frame = _query(image, frame_number)
        fields = {**region_fields(box), **wanted, **judged_fields(relevant, not_relevant), "limit": limit}
        cursor: str | None = None
        while True:
            answer = self._found(data, frame, fields | given(cursor=cursor))
            yield _results(answer)
            cursor = read(answer, lambda told: cast("str | None", told["next"]))
            if cursor is None:
                return

    def search_batch(
        self,
        queries: Sequence[tuple[Indexed, RegionLike | Sequence[RegionLike] | None]],
        k: int = 10,
        mode: Mode | None = None,
        bits: Bits = 128,
        *,
        collection: str | None = None,
        exclude: Same | Exclusion | None = None,
        only: Collection[str] | None = None,
        group_by: GroupBy | None = None,
        search: Search | None = None,
        where: Mapping[str, FilterValue] | None = None,
        **filters: FilterValue,
    ) -> list[Results | InputError]:
        """Answer up to 32 queries in one request; one that cannot be answered does not end the others.

        Parameters
        ----------
        queries : sequence of (frame, box)
            Frames of the archive, and regions of them; box None searches for the whole image.
        k : int
            Hits of each, from 1 to 100.
        mode, bits, collection, exclude, only, group_by, search, where, **filters
            As for :meth:`search`, for all queries.

        Returns
        -------
        list of Results or InputError
            In the order of the queries.
        """
        wanted = _wanted(
            given_filters(where, filters), k, mode, bits, collection, exclude, only, group_by, search
        )
        asked = [{**query_fields(frame), **region_fields(box)} for frame, box in queries]
        answer = self._api.post(f"{SEARCH}/batch", {"queries": asked, **wanted})
        return read(answer, lambda told: [_item(item) for item in told["answers"]])

    def search_series(
        self,
        series_uid: str,
        k: int = 10,
        mode: GroupMode | None = None,
        bits: Bits = 128,
        *,
        aggregation: Aggregation = "late_interaction",
        collection: str | None = None,
        exclude: Same | Exclusion | None = None,
        only: Collection[str] | None = None,
        where: Mapping[str, FilterValue] | None = None,
        **filters: FilterValue,
    ) -> GroupResults:
        """Find the series most like an indexed one; see :meth:`hmar.Archive.search_series`."""
        wanted = _wanted(given_filters(where, filters), k, mode, bits, collection, exclude, only)
        return self._group("series", series_uid, aggregation, wanted)

    def search_study(
        self,
        study_uid: str,
        k: int = 10,
        mode: GroupMode | None = None,
        bits: Bits = 128,
        *,
        aggregation: Aggregation = "late_interaction",
        collection: str | None = None,
        exclude: Same | Exclusion | None = None,
        only: Collection[str] | None = None,
        where: Mapping[str, FilterValue] | None = None,
        **filters: FilterValue,
    ) -> GroupResults:
        """Find the studies most like an indexed one; see :meth:`hmar.Archive.search_study`."""
        wanted = _wanted(given_filters(where, filters), k, mode, bits, collection, exclude, only)
        return self._group("study", study_uid, aggregation, wanted)

    def _group(self, level: GroupLevel, uid: str, aggregation: Aggregation, wanted: Fields) -> GroupResults:
        fields = {f"{level}_uid": uid, "aggregation": aggregation, **wanted}
        return read(self._api.post(f"{SEARCH}/{level}", fields), GroupResults.from_dict)

    def _found(self, data: bytes | None, frame: Fields, fields: Fields) -> bytes:
        path = f"{SEARCH}/{'region' if fields.keys() & {'region', 'regions'} else 'image'}"
        if data is None:
            return self._api.post(path, frame | fields)
        return self._api.post_files(path, as_form(frame | fields), [data])


def _wanted(
    filters: Mapping[str, FilterValue],
    k: int,
    mode: str | None,
    bits: Bits,
    collection: str | None,
    exclude: Same | Exclusion | None,
    only: Collection[str] | None,
    group_by: GroupBy | None = None,
    search: Search | None = None,
) -> Fields:
    """Return the fields that say how is searched, and among what."""
    return given(
        k=k,
        mode=mode,
        bits=bits,
        collection=collection,
        filters=filters_as_json(filters) or None,
        exclude=exclusion_field(exclude),
        only=only_field(only),
        group_by=group_by,
        search=search,
    )


def _query(image: Queryable, frame_number: int) -> tuple[bytes | None, Fields]:
    """Return the file to send, None for a frame of the archive, and the fields that say which frame."""
    if isinstance(image, IndexedFrame | Hit | EntryInfo):
        return None, query_fields(image)
    return file_bytes(image), {"frame": frame_number}


def _results(answer: bytes) -> Results:
    return read(answer, Results.from_dict)


def _item(item: Mapping[str, Any]) -> Results | InputError:
    if item["problem"] is None:
        return Results.from_dict(item["answer"])
    error = error_of_problem(item["problem"])
    if not isinstance(error, InputError):
        raise error
    return error
