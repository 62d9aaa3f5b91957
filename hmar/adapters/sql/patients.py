"""Patients as they are listed, counted by the database; rows are not verified for it."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from sqlalchemy import Connection, and_, func, select

from hmar.adapters.sql.deleting import of_collections
from hmar.adapters.sql.listing import first_frames
from hmar.adapters.sql.parts import parts
from hmar.adapters.sql.schema import entries
from hmar.values.deletion import Collections
from hmar.values.listed_patients import PatientInfo, PatientsPage


def patient_keys(connection: Connection, model_fingerprint: str, collection: Collections) -> frozenset[str]:
    """Return the keys of the patients of live frames."""
    wanted = and_(
        entries.c.model_fingerprint == model_fingerprint,
        of_collections(entries, collection),
        entries.c.patient_key.is_not(None),
    )
    return frozenset(connection.scalars(select(entries.c.patient_key).where(wanted).distinct()))


def patients_page(
    connection: Connection, model_fingerprint: str, collection: Collections, offset: int, limit: int
) -> PatientsPage:
    """List some patients in order of key."""
    # Sorted here, for databases differ in how they order text.
    held = sorted(patient_keys(connection, model_fingerprint, collection))
    page = held[offset : offset + limit]
    seen = and_(entries.c.model_fingerprint == model_fingerprint, of_collections(entries, collection))
    found: dict[str, PatientInfo] = {}
    for keys in parts(page):
        wanted = and_(seen, entries.c.patient_key.in_(keys))
        modalities: defaultdict[str, set[str]] = defaultdict(set)
        days: defaultdict[str, list[date]] = defaultdict(list)
        of_series = select(entries.c.patient_key, entries.c.modality, entries.c.study_date)
        for key, modality, day in connection.execute(of_series.where(first_frames(wanted))):
            modalities[key].add(modality)
            if day is not None:
                days[key].append(day)
        counted = (
            select(
                entries.c.patient_key,
                func.count(entries.c.study_uid.distinct()),
                func.count(entries.c.series_uid.distinct()),
                func.count(),
            )
            .where(wanted)
            .group_by(entries.c.patient_key)
        )
        for key, studies, series, frames in connection.execute(counted):
            first, last = min(days[key], default=None), max(days[key], default=None)
            told = tuple(sorted(modalities[key]))
            found[key] = PatientInfo(key, studies, series, frames, first, last, told)
    return PatientsPage([found[key] for key in page], len(held) > offset + limit)
