"""What came to a PACS that has no feed: the studies of the last days are asked for again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from hmar.adapters.dicomweb.pictures import is_picture
from hmar.adapters.dicomweb.query import Querying
from hmar.errors import PacsError, ParameterError
from hmar.values.follows import Follow, News
from hmar.values.pulls import InstanceReference, Pull, day_of

AHEAD = timedelta(days=1)
"""A PACS may be in a time zone where it is tomorrow."""


class QidoFeed:
    """A :class:`hmar.ports.PacsFeed` of any PACS.

    Of a series whose number of instances is what it was at the last look, nothing is listed. The cursor is
    the day of the last look; a look goes back some days behind it.

    Parameters
    ----------
    follow : Follow
    querying : Querying
    today : callable
    """

    def __init__(self, follow: Follow, querying: Querying, today: Callable[[], date]) -> None:
        self._follow, self._querying, self._today = follow, querying, today
        self._seen: dict[str, int] = {}

    def end(self) -> str:
        """Return the cursor of today."""
        return self._today().isoformat()

    def news(self, cursor: str) -> Iterator[News]:
        """Yield what the last days have, study by study."""
        today, pull = self._today(), self._follow.pull
        try:
            before = day_of(cursor)
        except ParameterError:  # of another kind of feed, before the file of PACS was changed
            yield News((), today.isoformat(), reset=True)
            return
        first = min(before, today) - timedelta(days=self._follow.days)
        wanted = replace(
            pull, since=max(first, pull.since or first), until=max(today + AHEAD, pull.since or today)
        )
        studies, seen = self._querying.studies(wanted), dict[str, int]()
        told, failed = 0, None
        for number, study_uid in enumerate(studies, start=1):
            try:
                found, counts = self._of_study(study_uid, pull)
            except PacsError as error:
                # One study that the PACS cannot tell of keeps none of the others back.
                failed = failed or error
                continue
            if found:
                yield News(found, cursor, len(studies) - number)
            # Only now: who asks for more has taken it.
            seen |= counts
            self._seen |= counts
            told += 1
        if failed is not None and not told:
            raise failed
        if failed is not None:
            yield News((), cursor, trouble=str(failed))
            return
        self._seen = seen
        yield News((), today.isoformat())

    def _of_study(self, study_uid: str, pull: Pull) -> tuple[list[InstanceReference], dict[str, int]]:
        """Return the pictures of those series that have changed, and how many instances each series has."""
        found, counts = [], {}
        for series in self._querying.series(study_uid, pull):
            if series.instances is not None:
                counts[series.series_uid] = series.instances
                if self._seen.get(series.series_uid) == series.instances:
                    continue
            rows = self._querying.instances(series)
            if series.instances is not None and len(rows) < series.instances:
                del counts[series.series_uid]  # what is kept back now is asked for again
            found += [
                InstanceReference(self._follow.site, study_uid, series.series_uid, row.sop_instance_uid)
                for row in rows
                if is_picture(row.sop_class)
            ]
        return found, counts
