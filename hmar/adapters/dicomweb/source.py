"""Every PACS of a site, as one source of images."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

from hmar.adapters.dicomweb.asking import Asking
from hmar.adapters.dicomweb.breaker import Breaker
from hmar.adapters.dicomweb.credentials import credentials_of
from hmar.adapters.dicomweb.naming import Naming
from hmar.adapters.dicomweb.orthanc_feed import OrthancFeed
from hmar.adapters.dicomweb.orthanc_rest import OrthancRest
from hmar.adapters.dicomweb.pictures import is_picture
from hmar.adapters.dicomweb.qido_feed import QidoFeed
from hmar.adapters.dicomweb.query import Querying, SeriesRow
from hmar.adapters.dicomweb.retrieve import Retrieving
from hmar.adapters.dicomweb.sites import Site
from hmar.adapters.dicomweb.store import Storing
from hmar.adapters.dicomweb.transport import Transport
from hmar.contents import Content
from hmar.errors import NotFoundError, ParameterError, first_of, shown
from hmar.pauses import Pauses
from hmar.ports import PacsFeed
from hmar.values.exports import Document
from hmar.values.follows import Follow
from hmar.values.links import Template
from hmar.values.named_patients import NamedPatient
from hmar.values.pulls import InstanceReference, Pull


class _Pacs:
    """One PACS, asked through connections of its own."""

    def __init__(self, site: Site, pauses: Pauses, today: Callable[[], date], spool: Path | None) -> None:
        self.transport = Transport(site, spool)
        credentials = credentials_of(site, self.transport)
        asking = Asking(site, self.transport, credentials, Breaker(site.name), pauses)
        self.asking = asking
        self.querying = Querying(site, asking, today)
        self.retrieving = Retrieving(site, asking)
        self.storing = Storing(site, asking, pauses)


class PacsSource:
    """The instances of a site's PACS; a :class:`hmar.ports.ImageSource`.

    Where a PACS says that a series has more instances than it lists, one more reference stands for the
    rest; to fetch it says what is missing.

    Parameters
    ----------
    sites : mapping of str to Site
    pauses : Pauses
        Between the attempts at one request; as many of them as each site says.
    today : callable
        Returns the last study date that is asked for.
    spool : Path or None
        Folder for large files, which are gone when nobody reads them any more; None takes the system's.
    """

    def __init__(
        self,
        sites: Mapping[str, Site],
        sleep: Callable[[float], None] = time.sleep,
        today: Callable[[], date] = date.today,
        spool: Path | None = None,
    ) -> None:
        self._sites, self._sleep, self._today, self._spool = sites, sleep, today, spool
        self._opened: dict[str, _Pacs] = {}
        self._naming: dict[str, Naming] = {}

    def list(self, reference: str) -> Iterator[str]:
        """Yield the reference of every instance of a :class:`hmar.values.pulls.Pull`, series by series.

        Raises
        ------
        NotFoundError
            If there is no PACS of that name, or nothing of it is wanted.
        ParameterError
            If the reference is neither a pull nor an instance.
        PacsError
            If the PACS does not answer.
        """
        with suppress(ParameterError):
            yield str(InstanceReference.parse(reference))
            return
        pull = Pull.parse(reference)
        querying = self._pacs(pull.site).querying
        empty = True
        for study_uid in querying.studies(pull):
            for series in querying.series(study_uid, pull):
                for instance in self._of_series(pull.site, series):
                    empty = False
                    yield instance
        if empty:
            raise NotFoundError(
                f"The PACS {pull.site} has no images of what was asked for.",
                "Ask for other dates or modalities.",
            )

    def _of_series(self, site: str, series: SeriesRow) -> Iterator[str]:
        rows = self._pacs(site).querying.instances(series)
        for row in rows:
            if is_picture(row.sop_class):
                yield str(InstanceReference(site, *series[:2], row.sop_instance_uid))
        if series.instances is not None and len(rows) < series.instances:
            yield f"{site}/{series.study_uid}/{series.series_uid}/{len(rows)} of {series.instances}"

    def fetch(self, reference: str, max_bytes: int) -> Content:
        """Return an instance's file; a large one lies on the disk.

        Raises
        ------
        LimitError
            If it has more than ``max_bytes``.
        NotFoundError
            If the PACS does not send it, or there is none of that name any more.
        PacsError
            If the PACS does not answer.
        """
        site, _, rest = reference.partition("/")
        listed, of, counted = rest.rpartition("/")[2].partition(" of ")
        if of:
            raise NotFoundError(
                f"The PACS {site} says that the series has {counted} instances, and lists {listed}.",
                "Pull the study again later, or ask who runs the PACS for what limits its queries.",
            )
        return self._pacs(site).retrieving.instance(InstanceReference.parse(reference), max_bytes)

    def require(self, name: str) -> None:
        """Raise NotFoundError unless there is a PACS of that name."""
        if name not in self._sites:
            raise NotFoundError(
                f"There is no PACS called {shown(name)}.",
                f"The file of PACS names {first_of(sorted(self._sites), 10) or 'none'}.",
            )

    def names(self) -> Sequence[str]:
        """Return the names of all PACS, sorted."""
        return sorted(self._sites)

    def follows(self) -> Sequence[Follow]:
        """Return the PACS that are followed, in order of their names."""
        return [follow for name in self.names() if (follow := self._sites[name].follow) is not None]

    def feed(self, follow: Follow) -> PacsFeed:
        """Return what tells of a PACS what came to it."""
        pacs = self._pacs(follow.site)
        if follow.kind == "orthanc":
            return OrthancFeed(follow, OrthancRest(follow, pacs.asking))
        return QidoFeed(follow, pacs.querying, self._today)

    def studies(self, pull: Pull) -> Sequence[str]:
        """Return the UIDs of studies in which what is wanted may be, sorted."""
        return self._pacs(pull.site).querying.studies(pull)

    def gone(self, held: Collection[InstanceReference]) -> set[InstanceReference]:
        """Return those instances of one study that its PACS has no more."""
        sites = {instance.site for instance in held}
        return {one for name in sites for one in self._pacs(name).querying.gone(held)}

    def some_instance(self, name: str) -> InstanceReference:
        """Return an instance that a PACS lists; raises NotFoundError where it lists none."""
        found = self._pacs(name).querying.some_instance()
        if found is None:
            raise NotFoundError(
                f"The PACS {name} answers, and lists nothing.", "Check what the user may see."
            )
        return found

    def store(self, name: str, study_uid: str, documents: Sequence[Document]) -> dict[str, str | None]:
        """Store documents; return why each was refused, None where it was taken, by its UID.

        Raises
        ------
        NotFoundError
            If there is no PACS of that name.
        ConfigError
            If nothing says where to store to.
        PacsError
            If the PACS does not answer.
        """
        return self._pacs(name).storing.store(study_uid, documents)

    def try_storing(self, name: str) -> None:
        """Raise as :meth:`store` does; nothing is stored."""
        self._pacs(name).storing.try_it()

    def patient(self, name: str, study_uid: str) -> NamedPatient | None:
        """Return who the patient of a study is, None where the PACS does not list the study.

        Raises
        ------
        NotFoundError
            If there is no PACS of that name.
        PacsError
            If the PACS does not answer within seconds.
        """
        self.require(name)
        if name not in self._naming:
            self._naming[name] = Naming(self._sites[name])
        return self._naming[name].patient(study_uid)

    @property
    def viewers(self) -> Mapping[str, Template]:
        """Addresses in viewers, of the PACS that have one."""
        return {name: site.viewer for name, site in self._sites.items() if site.viewer is not None}

    def close(self) -> None:
        """Close all connections."""
        for pacs in self._opened.values():
            pacs.transport.close()
        self._opened.clear()
        for naming in self._naming.values():
            naming.close()
        self._naming.clear()

    def _pacs(self, name: str) -> _Pacs:
        self.require(name)
        if name not in self._opened:
            pauses = Pauses(self._sleep, attempts=self._sites[name].tries)
            self._opened[name] = _Pacs(self._sites[name], pauses, self._today, self._spool)
        return self._opened[name]
