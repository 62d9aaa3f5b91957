"""The files that serve a model written again: from its weights, and typicality from frames if asked to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hmar.encoder import HmarEncoder
from hmar.errors import ModelError, NotFoundError
from hmar.model.bundle import CARD, CONFIG, TYPICALITY, WEIGHTS, fingerprint, seal
from hmar.model.serving.references import NO_REFERENCES, read_references, write_references
from hmar.training.export.serving_form import write_serving_form
from hmar.training.reports import Progress
from hmar.training.typicality.card import with_typicality
from hmar.training.typicality.gathering import LOOKING, FittedReferences, fit_references
from hmar.training.typicality.places import Place
from hmar.training.typicality.summaries import ENOUGH


@dataclass(frozen=True, slots=True)
class Exported:
    """A model whose files were written again.

    Parameters
    ----------
    fingerprint : str
    fitted : FittedReferences or None
        What typicality is measured from now; None where that stays.
    tells : bool
        Whether the model had something to measure it from before.
    """

    fingerprint: str
    fitted: FittedReferences | None
    tells: bool


def export_model(folder: Path, places: Sequence[Place] | None, progress: Progress) -> Exported:
    """Write the serving form of a model anew.

    Weights and configuration stay as they are, and so does the fingerprint: codes and index stay valid.

    Parameters
    ----------
    folder : Path
        The model's folder.
    places : sequence of Place or None
        Frames that typicality is measured from; with None what it is measured from stays.
    progress : callable

    Raises
    ------
    ModelError
        If the folder holds no model, or the codes of the serving form differ from the network's.
    NotFoundError
        If the frames are too few to measure anything from; what it was measured from stays.
    """
    for name in (CONFIG, WEIGHTS, CARD):
        if not (folder / name).is_file():
            raise ModelError(f"The model at {folder} lacks {name}.", "Name the folder of a trained model.")
    encoder = write_serving_form(folder, progress)
    if not (folder / TYPICALITY).is_file():
        write_references(folder / TYPICALITY, NO_REFERENCES)
    tells = bool(read_references(folder / TYPICALITY).known)
    seal(folder)  # so that the model stays one where typicality cannot be measured, or is broken off
    fitted = None if places is None else _refit(folder, encoder, places, progress)
    return Exported(fingerprint(folder), fitted, tells)


def _refit(
    folder: Path, encoder: HmarEncoder, places: Sequence[Place], progress: Progress
) -> FittedReferences:
    fitted = fit_references(encoder, places, partial(progress, LOOKING))
    if not fitted.references.known:
        raise NotFoundError(
            f"Of {len(places)} frames there are no {ENOUGH.frames} of one kind.",
            "Name folders with more.",
        )
    write_references(folder / TYPICALITY, fitted.references)
    card = folder / CARD
    card.write_text(with_typicality(card.read_text(), fitted.fitted))
    seal(folder)
    return fitted
