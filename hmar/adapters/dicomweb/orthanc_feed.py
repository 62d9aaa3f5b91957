"""What came to an Orthanc, by its feed of changes.

Rows of the feed go with the resources that they are of. What was deleted is therefore found by a sweep, and
the last number may be larger than that of the last row.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from hmar.adapters.dicomweb.orthanc_rest import ChangesPage, OrthancRest
from hmar.adapters.dicomweb.pictures import is_picture
from hmar.errors import PacsError
from hmar.values.follows import Follow, News
from hmar.values.pulls import InstanceReference
from hmar.values.uids import is_uid

PAGE = 200
"""Changes of one answer."""
_CAME, _WENT = "NewInstance", "Deleted"


class _Series(NamedTuple):
    study_uid: str
    series_uid: str
    wanted: bool


class OrthancFeed:
    """A :class:`hmar.ports.PacsFeed` of an Orthanc, which need not know types of changes.

    Parameters
    ----------
    follow : Follow
    rest : OrthancRest
    """

    def __init__(self, follow: Follow, rest: OrthancRest) -> None:
        self._follow, self._rest = follow, rest

    def end(self) -> str:
        """Return the cursor behind all that there is."""
        # Of a feed from before its beginning only the number of its last row.
        return str(self._rest.changes(last="").last)

    def news(self, cursor: str) -> Iterator[News]:
        """Yield what came after a cursor, until there is no more."""
        if not cursor.isdecimal():  # of another kind of feed, before the file of PACS was changed
            yield News((), self.end(), reset=True)
            return
        after, end = int(cursor), int(self.end())
        only = {"type": _CAME} if self._rest.has_types() else {}
        while True:
            page = self._rest.changes(since=after, limit=PAGE, **only)
            if not page.changes:
                if page.last < after:
                    yield News((), str(page.last), reset=True)
                return
            before, after = after, max(change.seq for change in page.changes)
            if after <= before:
                raise PacsError(
                    f"The Orthanc {self._follow.site} tells the same changes again and again.",
                    f"See what stands before root in [{self._follow.site}.follow]: it drops parameters.",
                )
            yield News(
                self._arrived(page),
                str(after),
                0 if page.done else max(0, end - after),
                again=True,
                deleted=any(change.kind == _WENT for change in page.changes),
            )
            if page.done:
                return

    def _arrived(self, page: ChangesPage) -> list[InstanceReference]:
        """Return what of a page is wanted, and still there."""
        series: dict[str, _Series | None] = {}
        came = dict.fromkeys(change.resource for change in page.changes if change.kind == _CAME)
        found = []
        for resource in came:
            told = self._rest.resource("instances", resource)
            if told is None:
                continue
            parent = str(told.get("ParentSeries"))
            if parent not in series:
                series[parent] = self._series(parent)
            of, uid = series[parent], _tag(told, "SOPInstanceUID")
            if of is not None and of.wanted and is_uid(uid) and is_picture(self._rest.sop_class(resource)):
                found.append(InstanceReference(self._follow.site, of.study_uid, of.series_uid, uid))
        return found

    def _series(self, resource: str) -> _Series | None:
        """Return a series, None where it or its study is gone, or has a UID that is none."""
        told = self._rest.resource("series", resource)
        study = None if told is None else self._rest.resource("studies", str(told.get("ParentStudy")))
        if told is None or study is None:
            return None
        uids = _tag(study, "StudyInstanceUID"), _tag(told, "SeriesInstanceUID")
        if not all(map(is_uid, uids)):
            return None
        pull = self._follow.pull
        modality = pull.modality is None or _tag(told, "Modality") == pull.modality
        return _Series(*uids, modality and _is_since(_tag(study, "StudyDate"), pull.since))


def _tag(told: Any, name: str) -> str:
    tags = told.get("MainDicomTags")
    value = tags.get(name) if isinstance(tags, dict) else None
    return value.strip(" \0") if isinstance(value, str) else ""


def _is_since(study_date: str, since: date | None) -> bool:
    """Return whether a study is of a day or later; no range of dates finds one without, either."""
    return since is None or (study_date.isdecimal() and study_date >= f"{since:%Y%m%d}")
