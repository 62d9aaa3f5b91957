"""A model with thresholds and references of an archive: equal weights, other codes, another fingerprint."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hmar.encoder import HmarEncoder
from hmar.errors import NotFoundError
from hmar.model.bundle import (
    BACKBONE,
    CARD,
    GOLDEN,
    THRESHOLDS,
    TYPICALITY,
    WEIGHTS,
    check_new_folder,
    fingerprint,
    read_info,
    seal,
    write_config,
)
from hmar.model.serving.model import load_served, read_served
from hmar.model.serving.references import References, write_references
from hmar.model.thresholds import UNKNOWN, ModalityThresholds, Thresholds, write_thresholds
from hmar.training.export.golden import write_golden
from hmar.training.thresholds.card import adapted_card
from hmar.training.thresholds.measuring import Fitted, Measured, change, measure, pooled
from hmar.training.typicality.card import with_typicality
from hmar.training.typicality.gathering import FittedReferences, references_of
from hmar.training.typicality.summaries import Counted, Summaries
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame

LEAST_FRAMES = 100
LEAST_PEOPLE = 10
"""A modality of fewer keeps the thresholds that the model has: medians of a few people are theirs."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Adapted:
    """A finished adaptation.

    Parameters
    ----------
    fingerprint : str
        Of the new model.
    fitted : tuple of Fitted
    kept : mapping of str to str
        Modalities whose thresholds stay as they were, each with the reason.
    typicality : FittedReferences
        References of the archive's own kinds of frames. Of the other kinds the model keeps its own.
    tells : frozenset of str
        All kinds of frames whose typicality the new model tells.
    """

    fingerprint: str
    fitted: tuple[Fitted, ...]
    kept: Mapping[str, str]
    typicality: FittedReferences
    tells: frozenset[str]


def adapt(
    folder: Path,
    out: Path,
    sample: Mapping[str, list[EntryInfo]],
    read: Callable[[EntryInfo], Frame],
    rng: np.random.Generator,
    progress: Progress,
) -> Adapted:
    """Write a model whose bits turn at the medians of the logits of some frames, and that knows these frames.

    Parameters
    ----------
    folder : Path
        The model that the frames were indexed with.
    out : Path
        Folder to write; its name is the new model's. It must not exist, or be empty.
    sample : mapping of str to list of EntryInfo
        Frames of each modality, see :func:`hmar.training.thresholds.sampling.sample_frames`.
    read : callable
        Reads an indexed frame again.
    rng : numpy.random.Generator
        Draws windows, and who is held out to measure the change.
    progress : callable

    Raises
    ------
    ConfigError
        If ``out`` holds something.
    ModelError
        If the model is missing, altered or of another format.
    NotFoundError
        If no modality has enough frames.
    """
    check_new_folder(out)
    encoder = HmarEncoder(load_served(folder))
    summaries = Summaries(encoder.window_sides)
    measured = {
        name: measure(entries, read, encoder.features, rng, _named(progress, name), summaries)
        for name, entries in sample.items()
    }
    enough = {name: one for name, one in measured.items() if _is_enough(one)}
    kept = {name: _too_few(one) for name, one in measured.items() if name not in enough}
    if not enough:
        counted = "; ".join(f"{name}: {reason}" for name, reason in kept.items()) or "no frames at all"
        raise NotFoundError(
            f"The archive has too few frames to take medians from ({counted}).",
            f"Index {LEAST_FRAMES} frames of {LEAST_PEOPLE} people of one modality first.",
        )
    if UNKNOWN not in enough:
        # A frame without a tag is one of those that the archive has, of whichever modality.
        enough[UNKNOWN] = pooled(measured.values())
        kept.pop(UNKNOWN, None)
    old = encoder.thresholds
    fitted = tuple(
        Fitted(name, len(one.frames), one.number_of_people, change(one, old.of_name(name), rng))
        for name, one in enough.items()
    )
    known: dict[str, Thresholds] = {**old.known, **{name: one.medians() for name, one in enough.items()}}
    typical = references_of(summaries, Counted(LEAST_FRAMES, LEAST_PEOPLE))
    references = References({**encoder.references.known, **typical.references.known})
    card = _card(folder, out, fitted, typical, references)
    _write(folder, out, ModalityThresholds(known), references, card)
    return Adapted(fingerprint(out), fitted, kept, typical, frozenset(references.known))


def _named(progress: Progress, name: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(f"measuring {name}", done, total)


def _is_enough(measured: Measured) -> bool:
    return len(measured.frames) >= LEAST_FRAMES and measured.number_of_people >= LEAST_PEOPLE


def _too_few(measured: Measured) -> str:
    return f"{len(measured.frames)} frames of {measured.number_of_people} people"


def _card(
    folder: Path,
    out: Path,
    fitted: tuple[Fitted, ...],
    typical: FittedReferences,
    references: References,
) -> str:
    base = read_info(folder)
    card = adapted_card((folder / CARD).read_text(), out.name, base, fitted)
    measured_from = {kind: typical.fitted.get(kind, f"as in {base.name}") for kind in references.known}
    return with_typicality(card, measured_from)


def _write(
    folder: Path, out: Path, thresholds: ModalityThresholds, references: References, card: str
) -> None:
    """Write the new model: it is sealed last, so that one that is not complete is refused."""
    info = read_info(folder)
    out.mkdir(parents=True, exist_ok=True)
    for name in (WEIGHTS, BACKBONE):
        shutil.copyfile(folder / name, out / name)
    write_config(out, out.name, info.network, info.grid, info.windows, thresholds=True)
    write_thresholds(out / THRESHOLDS, thresholds)
    write_references(out / TYPICALITY, references)
    (out / CARD).write_text(card)
    write_golden(out / GOLDEN, HmarEncoder(read_served(out)))
    seal(out)
