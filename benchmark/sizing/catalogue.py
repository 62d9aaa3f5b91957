"""A catalogue of many frames, written through the product's own code: rows, digests, log, indexes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import numpy as np

from benchmark.types import Progress
from hmar.ports import Catalogue
from hmar.values.codes import CODE_BYTES, EncodedFrame
from hmar.values.digests import Digests, header_digest
from hmar.values.entries import Origin
from hmar.values.frames import FrameInfo
from hmar.values.geometry import Spacing

COLLECTION = "archive"
STUDY_FRAMES = 400
"""Frames of a study: a CT of two series."""
SERIES_FRAMES = 200
_ROOT = "1.2.826.0.1.3680043.10.1501"
_BODY_PARTS = ("CHEST", "ABDOMEN", "HEAD", "PELVIS")
_KERNELS = ("B30f", "B70f", "STANDARD", "LUNG")
_MAKERS = ("SIEMENS", "GE MEDICAL SYSTEMS", "Philips", "TOSHIBA")
_FIRST_DAY = date(2015, 1, 1)
_DAYS = 3650


def study_uid(number: int) -> str:
    """Return the UID of a study by its number, from 0."""
    return f"{_ROOT}.{number:06}.20150101093045.1"


def study_infos(number: int, frames: int = STUDY_FRAMES) -> list[FrameInfo]:
    """Return what is known of the frames of a study; as long as what scanners write, and of no person.

    A patient has five studies out of four patients; every frame is a file of its own.
    """
    study = study_uid(number)
    return [
        FrameInfo(
            study_uid=study,
            series_uid=f"{study}.{frame // SERIES_FRAMES + 1}",
            sop_instance_uid=f"{study}.{frame // SERIES_FRAMES + 1}.{frame + 1}",
            frame_number=1,
            patient_key=f"{number * 4 // 5:064x}",
            rows=512,
            columns=512,
            spacing=Spacing(0.703125, 0.703125),
            series_number=frame // SERIES_FRAMES + 1,
            instance_number=frame % SERIES_FRAMES + 1,
            position=(-180.0, -180.0, -1.25 * frame),
            modality="CT",
            body_part=_BODY_PARTS[number % len(_BODY_PARTS)],
            sex="FM"[number % 2],
            age_years=20 + number % 70,
            study_date=_FIRST_DAY + timedelta(days=number * 7 % _DAYS),
            manufacturer=_MAKERS[number % len(_MAKERS)],
            convolution_kernel=_KERNELS[number % len(_KERNELS)],
            slice_thickness_mm=1.25,
            contrast=bool(number % 3),
        )
        for frame in range(frames)
    ]


def encoded_study(
    number: int, infos: Sequence[FrameInfo], windows: int, model_fingerprint: str
) -> list[EncodedFrame]:
    """Return the frames of a study with codes of random bits."""
    generator = np.random.default_rng(number)
    ids = np.arange(windows, dtype=np.uint32)
    return [
        EncodedFrame(
            info,
            generator.integers(0, 256, CODE_BYTES, np.uint8),
            generator.integers(0, 256, (windows, CODE_BYTES), np.uint8),
            ids,
            (0.5, 0.5),
            model_fingerprint,
            Digests(generator.bytes(32).hex(), header_digest(info), generator.bytes(32).hex(), 1),
        )
        for info in infos
    ]


def fill(catalogue: Catalogue, frames: int, windows: int, model: str, progress: Progress) -> None:
    """Append frames to an empty catalogue, a study in each transaction.

    Parameters
    ----------
    catalogue : Catalogue
    frames : int
        From 1; the last study has what is left.
    windows : int
        Windows of every frame, from 0.
    model : str
        Fingerprint of the model that the codes count as made by.
    progress : Progress
    """
    for number, size in enumerate(_sizes(frames)):
        added = encoded_study(number, study_infos(number, size), windows, model)
        catalogue.append(COLLECTION, added, Origin("import", f"archive/{number:06}/study.dcm"))
        progress("rows of the catalogue", min(frames, (number + 1) * STUDY_FRAMES), frames)


def _sizes(frames: int) -> Iterator[int]:
    while frames > 0:
        yield min(frames, STUDY_FRAMES)
        frames -= STUDY_FRAMES
