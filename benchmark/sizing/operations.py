"""What is asked of a catalogue in daily use, timed on one that is large."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from functools import partial

from benchmark.sizing.catalogue import COLLECTION, encoded_study, study_infos, study_uid
from benchmark.types import Progress
from hmar.adapters.memory import InlineQueue
from hmar.config import Settings
from hmar.values.deletion import Selector
from hmar.values.entries import Origin
from hmar.values.wanted_studies import WantedStudies
from hmar.wiring import Engine, build_engine

NEW_STUDY = 900_000
"""Number of a study that no archive holds: it is added file by file, and deleted."""


@dataclass(frozen=True, slots=True)
class Timed:
    """How long an operation took, in seconds of the clock and of the processor, and what it gave."""

    name: str
    seconds: float
    processor_s: float
    gave: str


def time_operations(settings: Settings, study: int, progress: Progress) -> list[Timed]:
    """Time the catalogue of a data directory; each operation once, in a process that has asked nothing yet.

    Parameters
    ----------
    settings : Settings
        ``home`` holds the archive, which stays as it is but for rows of the log.
    study : int
        Number of a study that it holds.
    progress : Progress

    Returns
    -------
    list of Timed
        In the order in which they were made.
    """
    timed: list[Timed] = []
    with closing(build_engine(settings, None, InlineQueue())) as engine:
        operations = _operations(engine, study)
        for number, (name, call) in enumerate(operations.items()):
            progress("operations of the catalogue", number, len(operations))
            begun, used = time.perf_counter(), time.process_time()
            gave = call()
            timed.append(Timed(name, time.perf_counter() - begun, time.process_time() - used, gave))
    return timed


def _operations(engine: Engine, study: int) -> Mapping[str, Callable[[], str]]:
    model, catalogue = engine.encoder.fingerprint, engine.catalogue
    uid, added = study_uid(study), Selector("study", study_uid(NEW_STUDY))

    def listed(wanted: WantedStudies, offset: int = 0) -> str:
        return f"{len(catalogue.studies(model, None, wanted, offset, 25).studies)} studies"

    return {
        "numbers of the collections": lambda: f"{len(catalogue.collections(model))} collection",
        "frames that the model lacks": lambda: f"{len(engine.models.coverage(model))} collection",
        "frames by model": lambda: f"{len(engine.models.frames())} model",
        "first page of studies": partial(listed, WantedStudies()),
        "last page of studies": partial(listed, WantedStudies(), study - study % 25),
        "newest studies": partial(listed, WantedStudies(order="newest")),
        "studies of a modality and body part": partial(
            listed, WantedStudies(modality="CT", body_part="HEAD")
        ),
        "studies of a week": partial(
            listed, WantedStudies(since=date(2020, 1, 1), until=date(2020, 1, 7), order="newest")
        ),
        "studies of a patient": partial(listed, WantedStudies(patient_key=f"{study * 4 // 5:064x}")),
        "page of patients": lambda: f"{len(catalogue.patient_list(model, None, 0, 25).patients)} patients",
        "series of a study": lambda: f"{len(catalogue.series(model, Selector('study', uid)))} series",
        "frames of a series": lambda: f"{len(catalogue.frames(COLLECTION, f'{uid}.1', model))} frames",
        "page of changes": lambda: f"{len(catalogue.changes(0, 100).changes)} changes",
        "add a study, file by file": lambda: f"{_add(engine, model)} frames",
        "extent of a study": lambda: f"{catalogue.extent(Selector('study', uid))}",
        "delete a study": lambda: f"{catalogue.delete(added).extent.frames} frames",
    }


def _add(engine: Engine, model: str) -> int:
    infos = study_infos(NEW_STUDY)
    windows = len(engine.catalogue.tail(0, 1)[0].encoded.window_ids)  # type: ignore[union-attr]
    added = 0
    for info, encoded in zip(infos, encoded_study(NEW_STUDY, infos, windows, model), strict=True):
        origin = Origin("import", f"archive/{NEW_STUDY}/{info.instance_number}.dcm")
        added += engine.catalogue.append(COLLECTION, [encoded], origin).added
    return added
