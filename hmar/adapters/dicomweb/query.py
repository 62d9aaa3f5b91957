"""What a PACS has, by QIDO-RS (PS3.18 10.6), of servers that page badly, too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from urllib.parse import urlencode

from hmar.adapters.dicomweb.asking import Asking
from hmar.adapters.dicomweb.rows import (
    INSTANCE,
    SERIES,
    SERIES_INSTANCES,
    SOP_CLASS,
    STUDY,
    Row,
    number,
    rows_of,
    text,
)
from hmar.adapters.dicomweb.sites import Site
from hmar.adapters.dicomweb.transport import SlowError
from hmar.errors import PacsError
from hmar.values.pulls import InstanceReference, Pull, halves
from hmar.values.uids import is_uid

ACCEPT = "application/dicom+json, application/json;q=0.9"
LARGEST_PAGE = 64 << 20
"""Bytes of one answer to a query."""
LEAST_PAGE = 10
ROUND = 100
"""A count that is a multiple of this may be a cap that the server says nothing of."""
FIRST_DAY = date(1970, 1, 1)


class SeriesRow(NamedTuple):
    """A series of a PACS; ``instances`` is how many it says to have, None where it does not say."""

    study_uid: str
    series_uid: str
    instances: int | None


class InstanceRow(NamedTuple):
    """An instance of a series; ``sop_class`` is empty where the PACS does not say it."""

    sop_instance_uid: str
    sop_class: str


class _Page(NamedTuple):
    """Rows of one answer, how many were asked for, and whether the server knows what was asked for."""

    rows: list[Row]
    limit: int
    known: bool


@dataclass(slots=True)
class _Listing:
    """What one query gave, whether there may be more than that, and whether the server knows what it is."""

    rows: dict[str, Row]
    cut: bool = False
    known: bool = True


class Querying:
    """Lists studies, series and instances.

    A page that is short is not the last, one without a new UID is: servers cap pages, and some send the same
    one again. After a time-out pages are half as large. Where studies may have been left out, the same is
    asked by halves of the range of dates.

    Parameters
    ----------
    site : Site
    asking : Asking
    today : callable
        Returns the last study date that is asked for where none is wanted.
    """

    def __init__(self, site: Site, asking: Asking, today: Callable[[], date]) -> None:
        self._site, self._asking, self._today = site, asking, today
        self._page = site.page

    def studies(self, pull: Pull) -> list[str]:
        """Return the UIDs of studies in which what is wanted may be, sorted.

        Raises
        ------
        PacsError
            If the PACS does not answer, or keeps back studies of a single day.
        """
        if pull.study_uid is not None:
            return [pull.study_uid]
        wanted = {} if pull.modality is None else {"ModalitiesInStudy": pull.modality}
        first, last = pull.since or FIRST_DAY, pull.until or self._today()
        if pull.since is None and pull.until is None:
            # Studies without a date are found by no range of them.
            found = self._listed("studies", wanted, STUDY)
            return sorted(found.rows.keys() | (self._within(first, last, wanted) if found.cut else set()))
        return sorted(self._within(first, last, wanted))

    def _within(self, first: date, last: date, wanted: Mapping[str, str]) -> set[str]:
        """Return the studies of a range of dates, by halves of it where some may be kept back."""
        found = self._listed("studies", {**wanted, **_dates(first, last)}, STUDY)
        if not found.cut:
            return set(found.rows)
        if first == last:
            raise PacsError(
                f"The PACS {self._site.name} lists {len(found.rows)} studies of {first}, and may have more.",
                "Ask for one modality at a time, or let it answer with more at once.",
            )
        return {uid for half in halves(first, last) for uid in self._within(*half, wanted)}

    def some_instance(self) -> InstanceReference | None:
        """Return an instance that the PACS lists, None where it lists none."""
        for study_uid in self._first("studies", STUDY):
            for series_uid in self._first(f"studies/{study_uid}/series", SERIES):
                for instance_uid in self._first(
                    f"studies/{study_uid}/series/{series_uid}/instances", INSTANCE
                ):
                    return InstanceReference(self._site.name, study_uid, series_uid, instance_uid)
        return None

    def _first(self, path: str, key: str) -> list[str]:
        """Return the UIDs of the first few rows of a listing."""
        rows, _ = next(self._pages(path, {}))
        return [uid for row in rows.rows[:LEAST_PAGE] if is_uid(uid := text(row, key))]

    def series(self, study_uid: str, pull: Pull) -> list[SeriesRow]:
        """Return the wanted series of a study, sorted by UID."""
        wanted = {"includefield": SERIES_INSTANCES}
        if pull.modality is not None:
            wanted["Modality"] = pull.modality
        if pull.series_uid is not None:
            wanted["SeriesInstanceUID"] = pull.series_uid
        found = self._listed(f"studies/{study_uid}/series", wanted, SERIES)
        rows = [SeriesRow(study_uid, uid, number(row, SERIES_INSTANCES)) for uid, row in found.rows.items()]
        # Servers that do not know a key of a query leave it out and send everything.
        return sorted(row for row in rows if pull.series_uid in (None, row.series_uid))

    def instances(self, series: SeriesRow) -> list[InstanceRow]:
        """Return the instances of a series, sorted by UID."""
        path = f"studies/{series.study_uid}/series/{series.series_uid}/instances"
        found = self._listed(path, {}, INSTANCE, series.instances)
        return sorted(InstanceRow(uid, text(row, SOP_CLASS)) for uid, row in found.rows.items())

    def gone(self, held: Collection[InstanceReference]) -> set[InstanceReference]:
        """Return those instances of one study that the PACS has no more.

        What a server may keep back is asked for by its own UID; what it may have after that is not gone.
        """
        by_series = defaultdict(set)
        for instance in held:
            by_series[instance.study_uid, instance.series_uid].add(instance)
        gone = set()
        for (study_uid, series_uid), instances in by_series.items():
            path = f"studies/{study_uid}/series"
            row = self._one(path, "SeriesInstanceUID", series_uid, SERIES)
            if row is None:
                gone |= instances
            elif row:
                gone |= self._gone_of(
                    f"{path}/{series_uid}/instances", number(row, SERIES_INSTANCES), instances
                )
        if gone:
            self._check_found(next(iter(gone)).study_uid)
        return gone

    def _check_found(self, study_uid: str) -> None:
        """Raise PacsError where a query for studies is not found: no study says so, but a wrong address."""
        if not self._listed("studies", {"StudyInstanceUID": study_uid}, STUDY).known:
            raise PacsError(
                f"The PACS {self._site.name} does not know what a query for studies is (status 404).",
                f"Check qido in [{self._site.name}].",
            )

    def _gone_of(
        self, path: str, expected: int | None, instances: set[InstanceReference]
    ) -> set[InstanceReference]:
        found = self._listed(path, {}, INSTANCE, expected)
        absent = {one for one in instances if one.sop_instance_uid not in found.rows}
        if not found.known or (expected is not None and len(found.rows) < expected):
            return set()
        if expected is None and found.cut:
            return {
                one
                for one in absent
                if self._one(path, "SOPInstanceUID", one.sop_instance_uid, INSTANCE) is None
            }
        return absent

    def _one(self, path: str, key: str, uid: str, tag: str) -> Row | None:
        """Return a row, asked for by its UID: None where there is none, empty where it may be kept back."""
        wanted = {key: uid} | ({"includefield": SERIES_INSTANCES} if tag == SERIES else {})
        found = self._listed(path, wanted, tag)
        if uid in found.rows:
            return found.rows[uid]
        return {} if found.cut else None

    def _listed(
        self, path: str, wanted: Mapping[str, str], key: str, expected: int | None = None
    ) -> _Listing:
        """Ask page by page, until one has nothing new, or as many are there as are expected."""
        listing = _Listing({})
        for page, told_of_more in self._pages(path, wanted):
            new = {uid: row for row in page.rows if is_uid(uid := text(row, key)) and uid not in listing.rows}
            listing.cut |= told_of_more
            listing.known &= page.known
            if not new:
                # The same rows again: the offset was not looked at, and the first page may have been all.
                listing.cut |= bool(page.rows) and len(page.rows) >= page.limit
                break
            listing.rows |= new
            if expected is not None and len(listing.rows) >= expected:
                break
        listing.cut |= len(listing.rows) > 0 and len(listing.rows) % ROUND == 0
        return listing

    def _pages(self, path: str, wanted: Mapping[str, str]) -> Iterator[tuple[_Page, bool]]:
        offset = 0
        while True:
            limit = self._page
            parameters = urlencode({**wanted, "limit": limit, "offset": offset})
            try:
                answer = self._asking.get(
                    f"{self._site.qido}/{path}?{parameters}",
                    ACCEPT,
                    LARGEST_PAGE,
                    patient=limit <= LEAST_PAGE,
                )
            except SlowError:
                if limit <= LEAST_PAGE:
                    raise
                self._page = max(limit // 2, LEAST_PAGE)
                continue
            rows = [] if answer.status in (204, 404) else rows_of(answer.data[:])
            if rows is None or (answer.status >= 400 and answer.status != 404):
                raise PacsError(
                    f"The PACS {self._site.name} answered a query with status {answer.status} and "
                    f"{'no DICOM JSON' if rows is None else 'a refusal'}.",
                    f"Check qido in [{self._site.name}].",
                )
            # PS3.18 8.3.4.4: a warning says that there is more than the server is willing to send.
            yield _Page(rows, limit, answer.status != 404), "299" in answer.headers.get("Warning", "")
            offset += len(rows)


def _dates(first: date, last: date) -> dict[str, str]:
    return {"StudyDate": f"{first:%Y%m%d}-{last:%Y%m%d}"}
