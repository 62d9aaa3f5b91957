"""What came from a PACS, in SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, func, select

from hmar.adapters.common.holdings import held_instances
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.parts import parts
from hmar.adapters.sql.schema import entries, items, jobs
from hmar.values.entries import Origin
from hmar.values.follows import HeldInstance
from hmar.values.pulls import PACS, InstanceReference


class SqlPacsHoldings:
    """A :class:`hmar.ports.PacsHoldings` in a database. Safe between threads and between processes.

    Parameters
    ----------
    database : Database
        Migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def studies(self, site: str) -> list[str]:
        """Return the UIDs of studies with live frames that came from a PACS."""
        found = select(entries.c.study_uid).where(_of_site(site)).distinct()
        with self._database.read() as connection:
            return list(connection.scalars(found))

    def of_study(self, site: str, study_uid: str) -> list[HeldInstance]:
        """Return the instances of a study whose live frames all came from the PACS."""
        columns = entries.c
        named = (
            columns.collection,
            columns.sop_instance_uid,
            columns.origin_source,
            columns.origin_reference,
        )
        origins = defaultdict(set)
        with self._database.read() as connection:
            for row in connection.execute(select(*named).where(columns.study_uid == study_uid).distinct()):
                origins[row.collection, row.sop_instance_uid].add(
                    Origin(row.origin_source, row.origin_reference)
                )
        return held_instances(site, origins)

    def count(self, site: str) -> int:
        """Return how many instances came from a PACS, one in two collections as one."""
        each = select(entries.c.origin_reference).where(_of_site(site)).distinct()
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(each.subquery())) or 0

    def asked_for(self, collection: str, references: Collection[InstanceReference]) -> set[InstanceReference]:
        """Return those of some instances that a job of a collection was ever created for."""
        by_text = {str(reference): reference for reference in references}
        of_job = and_(
            jobs.c.job_id == items.c.job_id, jobs.c.collection == collection, jobs.c.origin_source == PACS
        )
        found = set()
        with self._database.read() as connection:
            for some in parts(by_text):
                known = select(items.c.reference).join(jobs, of_job).where(items.c.reference.in_(some))
                found |= {by_text[text] for text in connection.scalars(known)}
        return found


def _of_site(site: str) -> ColumnElement[bool]:
    # A name of a PACS has no character that LIKE knows.
    return and_(entries.c.origin_source == PACS, entries.c.origin_reference.like(f"{site}/%"))
