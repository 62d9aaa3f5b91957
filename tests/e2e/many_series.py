"""Thousands of series, put into the database without indexing each: they all show one file."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hmar.contents import digest_of
from hmar.values.digests import Digests
from hmar.values.entries import Origin
from hmar.values.frames import Frame
from hmar.wiring import Engine
from tests.phantoms import ROOT, ct_file

KINDS = (("CT", "CHEST"), ("MR", "HEAD"), ("CT", "ABDOMEN"), ("CR", "CHEST"))
SERIES_OF_STUDY = 2
STUDIES_OF_PATIENT = 3
FIRST_DAY = date(2015, 1, 1)


def add_series(engine: Engine, count: int, frames: int = 1) -> None:
    """Add series to the collection ``default``: two to a study, three studies to a patient."""
    data = ct_file(1, 3, (60.0, 84.0))
    file = engine.decoder.open(data)
    frame: Frame = file.frame(1)
    encoded = engine.encoder.encode(frame)
    digests = Digests.of(frame, digest_of(data), 1)
    reference = engine.uploads.put(data)
    added = []
    for number in range(1, count + 1):
        study = (number - 1) // SERIES_OF_STUDY
        modality, body_part = KINDS[number % len(KINDS)]
        for slice_number in range(1, frames + 1):
            info = replace(
                frame.info,
                study_uid=f"{ROOT}.7.{study}",
                series_uid=f"{ROOT}.8.{number}",
                sop_instance_uid=f"{ROOT}.8.{number}.{slice_number}",
                instance_number=slice_number,
                patient_key=f"{study // STUDIES_OF_PATIENT:032x}",
                modality=modality,
                body_part=body_part,
                study_date=FIRST_DAY + timedelta(days=study),
            )
            added.append(replace(encoded, info=info, digests=digests))
    engine.catalogue.append("default", added, Origin("upload", reference))
