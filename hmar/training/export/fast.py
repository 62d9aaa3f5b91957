"""Writing the fast form of a model: a sealed folder with a card that says what it loses."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from hmar.model.bundle import CARD, TYPICALITY, ModelInfo, check_new_folder, read_info, verify
from hmar.model.fast import check_fast_form, write_fast_weights
from hmar.training.export.again import Exported, export_model
from hmar.training.reports import Progress
from hmar.training.typicality.places import Place

_SECTION = """\
## Fast form
Weights of {base} ({fingerprint}), written by `hmar export-model --fast`.
Its windows of 4 and 6 cells lie two and three cells apart in place of one and two: a frame has about three
fifths of the windows, and encoding takes about nine tenths of the time. Codes of the windows that it has are
those of {base}, but an archive holds those of one of the two.

What it loses was measured with the weights 8d8f0809 on 39 people, with queries and archive encoded alike. Of
a person's own tumour .02 of the first hits on CT and .05 on MR with 128 bits, and .05 and .07 with 64; of
tumours of other people .01 on CT and .03 on MR with 128 bits, .02 and .03 with 64.

The rest of this card is of {base}: strides and figures in it are its own.
"""


def check_fast(folder: Path, out: Path) -> None:
    """Raise what :func:`export_fast` raises for a model or a folder that it cannot use."""
    check_new_folder(out)
    verify(folder)
    check_fast_form(read_info(folder))


def export_fast(folder: Path, out: Path, places: Sequence[Place] | None, progress: Progress) -> Exported:
    """Write the fast form of a model.

    Weights are the model's. The golden file is made anew for its windows.

    Parameters
    ----------
    folder : Path
        The model's folder, which stays as it is.
    out : Path
        Folder to write; its name is the fast model's. It must not exist, or be empty.
    places : sequence of Place or None
        Frames that typicality is measured from; with None it is measured as the model's.
    progress : callable

    Raises
    ------
    ConfigError
        If ``out`` holds something.
    ModelError
        If the model is missing or altered, has thresholds, or other windows than the default.
    NotFoundError
        If the frames are too few to measure anything from.
    """
    check_fast(folder, out)
    try:
        write_fast_weights(folder, out)
        shutil.copyfile(folder / TYPICALITY, out / TYPICALITY)
        (out / CARD).write_text(_card((folder / CARD).read_text(), out.name, read_info(folder)))
        return export_model(out, places, progress)
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)  # it was new, or empty: the same command can be given again
        raise


def _card(card: str, name: str, base: ModelInfo) -> str:
    """Return the card of the fast form: its own section before the base model's."""
    section = _SECTION.format(base=base.name, fingerprint=base.fingerprint)
    body = re.sub(r"\A# .*\n*", "", card)
    return f"# {name}\n\n{section}\n{body}"
